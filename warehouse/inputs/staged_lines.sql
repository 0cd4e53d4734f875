-- Lines that several things moved since they were posted, as they were after each of these but the last: for each
-- stage of transforms/causes.py, with what was known before of all that comes later.
FROM bucket_stages
