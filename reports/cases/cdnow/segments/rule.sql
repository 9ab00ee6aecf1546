-- Segments of members of cdnow, by a scorecard (rule 2beb66d55286).
-- Of 100 members who did not teach it, 92 get the same segment as by the full segmentation.
-- It reads the table member_counts: one row per member, counted up to one instant for all.
-- What happened later, or became known later, is not counted. Columns are whole numbers unless
-- said otherwise, and 0 where there was nothing to count:
--   observed_days: whole days since joining, or since events are recorded, whichever is later
--   active_days: different days with an event
--   value: sum of the amounts of events in USD, at most four decimals
--   active_last: different days with an event in the last 30 days
--   active_before: different days with an event in the 30 days before those
--   recency_days: whole days since the last event; of members without any, observed_days
-- What it compares, made of these; a measure on a bound belongs above it:
--   measure_1: active days a month
--   measure_2: spend a month
--   measure_3: change in active days
--   measure_4: days since last active
-- Who was observed for fewer than 60 days, or of whom a count is NULL, has no segment (NULL).
SELECT
  "t2"."member",
  CASE
    WHEN NOT "t2"."known"
    THEN CAST(NULL AS VARCHAR)
    WHEN "t2"."points" < 3
    THEN 'least active quarter'
    WHEN "t2"."points" < 8
    THEN 'less active quarter'
    WHEN "t2"."points" < 21
    THEN 'more active quarter'
    ELSE 'most active quarter'
  END AS "segment"
FROM (
  SELECT
    "t1"."member",
    "t1"."known",
    CASE
      WHEN "t1"."measure_1" < 0.075
      THEN 0
      WHEN "t1"."measure_1" < 0.1
      THEN 1
      WHEN "t1"."measure_1" < 0.2
      THEN 5
      WHEN "t1"."measure_1" < 0.5
      THEN 9
      ELSE 18
    END + CASE
      WHEN "t1"."measure_2" < 1.0
      THEN 0
      WHEN "t1"."measure_2" < 1.5
      THEN 1
      WHEN "t1"."measure_2" < 2.0
      THEN 2
      WHEN "t1"."measure_2" < 3.0
      THEN 3
      WHEN "t1"."measure_2" < 5.0
      THEN 5
      WHEN "t1"."measure_2" < 8.0
      THEN 8
      WHEN "t1"."measure_2" < 20.0
      THEN 12
      ELSE 20
    END + CASE WHEN "t1"."measure_3" < 1.0 THEN 0 ELSE 10 END + CASE
      WHEN "t1"."measure_4" < 100.0
      THEN 10
      WHEN "t1"."measure_4" < 200.0
      THEN 6
      WHEN "t1"."measure_4" < 300.0
      THEN 3
      WHEN "t1"."measure_4" < 420.0
      THEN 1
      ELSE 0
    END AS "points"
  FROM (
    SELECT
      "t0"."member",
      "t0"."observed_days" IS NOT NULL
      AND "t0"."active_days" IS NOT NULL
      AND "t0"."value" IS NOT NULL
      AND "t0"."active_last" IS NOT NULL
      AND "t0"."active_before" IS NOT NULL
      AND "t0"."recency_days" IS NOT NULL
      AND "t0"."observed_days" >= 60 AS "known",
      CASE
        WHEN CAST("t0"."observed_days" AS DOUBLE PRECISION) > 0
        THEN CAST("t0"."active_days" * 30 AS DOUBLE PRECISION) / NULLIF(CAST("t0"."observed_days" AS DOUBLE PRECISION), 0.0)
        ELSE 0.0
      END AS "measure_1",
      CASE
        WHEN CAST("t0"."observed_days" * 10000 AS DOUBLE PRECISION) > 0
        THEN CAST(CAST(CAST("t0"."value" AS DECIMAL(28, 4)) * 10000 AS BIGINT) * 30 AS DOUBLE PRECISION) / NULLIF(CAST("t0"."observed_days" * 10000 AS DOUBLE PRECISION), 0.0)
        ELSE 0.0
      END AS "measure_2",
      CAST("t0"."active_last" - "t0"."active_before" AS DOUBLE PRECISION) AS "measure_3",
      CAST("t0"."recency_days" AS DOUBLE PRECISION) AS "measure_4"
    FROM "member_counts" AS "t0"
  ) AS "t1"
) AS "t2";
