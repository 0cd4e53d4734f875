MODEL (
  name main.rejects,
  kind INCREMENTAL_BY_TIME_RANGE (time_column known_from),
  description 'Lines that cannot be used.'
);

SELECT * EXCLUDE (is_usable) FROM working.typed WHERE NOT is_usable AND known_from = @end_date
