-- Segments of members of complete_journey, by a scorecard (rule c05e4de3be6a).
-- Of 100 members who did not teach it, 91 get the same segment as by the full segmentation.
-- It reads the table member_counts: one row per member, counted up to one instant for all.
-- What happened later, or became known later, is not counted. Columns are whole numbers unless
-- said otherwise, and 0 where there was nothing to count:
--   observed_days: whole days since joining, or since events are recorded, whichever is later
--   active_days: different days with an event
--   recency_days: whole days since the last event; of members without any, observed_days
--   value: sum of the amounts of events in USD, at most four decimals
--   events: events of any kind
--   evening: events from 18:00 to 23:59 by the local clock
-- What it compares, made of these; a measure on a bound belongs above it:
--   measure_1: active days a month
--   measure_2: days since last active
--   measure_3: spend a month
--   measure_4: events an active day
--   measure_5: events in the evening (share)
-- Who was observed for fewer than 60 days, or of whom a count is NULL, has no segment (NULL).
SELECT
  "t2"."member",
  CASE
    WHEN NOT "t2"."known"
    THEN CAST(NULL AS VARCHAR)
    WHEN "t2"."points" < 24
    THEN 'least active quarter'
    WHEN "t2"."points" < 35
    THEN 'less active quarter'
    WHEN "t2"."points" < 46
    THEN 'more active quarter'
    ELSE 'most active quarter'
  END AS "segment"
FROM (
  SELECT
    "t1"."member",
    "t1"."known",
    CASE
      WHEN "t1"."measure_1" < 1.0
      THEN 0
      WHEN "t1"."measure_1" < 1.5
      THEN 5
      WHEN "t1"."measure_1" < 2.0
      THEN 7
      WHEN "t1"."measure_1" < 3.0
      THEN 8
      WHEN "t1"."measure_1" < 5.0
      THEN 10
      WHEN "t1"."measure_1" < 6.0
      THEN 13
      WHEN "t1"."measure_1" < 10.0
      THEN 14
      ELSE 19
    END + CASE
      WHEN "t1"."measure_2" < 1.0
      THEN 18
      WHEN "t1"."measure_2" < 2.0
      THEN 15
      WHEN "t1"."measure_2" < 4.0
      THEN 13
      WHEN "t1"."measure_2" < 5.0
      THEN 11
      WHEN "t1"."measure_2" < 10.0
      THEN 10
      WHEN "t1"."measure_2" < 20.0
      THEN 7
      WHEN "t1"."measure_2" < 50.0
      THEN 4
      ELSE 0
    END + CASE
      WHEN "t1"."measure_3" < 20.0
      THEN 0
      WHEN "t1"."measure_3" < 50.0
      THEN 3
      WHEN "t1"."measure_3" < 80.0
      THEN 5
      WHEN "t1"."measure_3" < 100.0
      THEN 7
      WHEN "t1"."measure_3" < 150.0
      THEN 9
      WHEN "t1"."measure_3" < 200.0
      THEN 11
      WHEN "t1"."measure_3" < 400.0
      THEN 14
      ELSE 20
    END + CASE
      WHEN "t1"."measure_4" < 1.02
      THEN 0
      WHEN "t1"."measure_4" < 1.05
      THEN 1
      WHEN "t1"."measure_4" < 1.1
      THEN 2
      WHEN "t1"."measure_4" < 1.15
      THEN 3
      WHEN "t1"."measure_4" < 1.2
      THEN 5
      WHEN "t1"."measure_4" < 1.3
      THEN 6
      ELSE 10
    END + CASE
      WHEN "t1"."measure_5" < 0.2
      THEN 5
      WHEN "t1"."measure_5" < 0.3
      THEN 4
      WHEN "t1"."measure_5" < 0.5
      THEN 3
      WHEN "t1"."measure_5" < 0.6
      THEN 2
      ELSE 0
    END AS "points"
  FROM (
    SELECT
      "t0"."member",
      "t0"."observed_days" IS NOT NULL
      AND "t0"."active_days" IS NOT NULL
      AND "t0"."recency_days" IS NOT NULL
      AND "t0"."value" IS NOT NULL
      AND "t0"."events" IS NOT NULL
      AND "t0"."evening" IS NOT NULL
      AND "t0"."observed_days" >= 60 AS "known",
      CASE
        WHEN CAST("t0"."observed_days" AS DOUBLE PRECISION) > 0
        THEN CAST("t0"."active_days" * 30 AS DOUBLE PRECISION) / NULLIF(CAST("t0"."observed_days" AS DOUBLE PRECISION), 0.0)
        ELSE 0.0
      END AS "measure_1",
      CAST("t0"."recency_days" AS DOUBLE PRECISION) AS "measure_2",
      CASE
        WHEN CAST("t0"."observed_days" * 10000 AS DOUBLE PRECISION) > 0
        THEN CAST(CAST(CAST("t0"."value" AS DECIMAL(28, 4)) * 10000 AS BIGINT) * 30 AS DOUBLE PRECISION) / NULLIF(CAST("t0"."observed_days" * 10000 AS DOUBLE PRECISION), 0.0)
        ELSE 0.0
      END AS "measure_3",
      CASE
        WHEN CAST("t0"."active_days" AS DOUBLE PRECISION) > 0
        THEN CAST("t0"."events" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."active_days" AS DOUBLE PRECISION), 0.0)
        ELSE 0.0
      END AS "measure_4",
      CASE
        WHEN CAST("t0"."events" AS DOUBLE PRECISION) > 0
        THEN CAST("t0"."evening" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."events" AS DOUBLE PRECISION), 0.0)
        ELSE 0.0
      END AS "measure_5"
    FROM "member_counts" AS "t0"
  ) AS "t1"
) AS "t2";
