"""What we expect of the data. Great Expectations logs 200 lines as it loads, so it is told to be quiet before that."""

import logging

logging.getLogger("great_expectations").setLevel(logging.WARNING)
