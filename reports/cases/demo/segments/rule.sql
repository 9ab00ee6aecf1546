-- Segments of members of demo, by a tree (rule b014214bc014).
-- Of 100 members who did not teach it, 97 get the same segment as by the full segmentation.
-- It reads the table member_counts: one row per member, counted up to one instant for all.
-- What happened later, or became known later, is not counted. Columns are whole numbers unless
-- said otherwise, and 0 where there was nothing to count:
--   observed_days: whole days since joining, or since events are recorded, whichever is later
--   kind_6: events 'view' in the feature 'news'
--   events: events of any kind
--   kind_2: events 'like' in the feature 'community'
--   kind_7: events 'view' in the feature 'offers'
--   points_earned: points earned
--   active_days: different days with an event
--   social: events of these kinds: 'comment', 'like', 'share'
--   kind_5: events 'view' in the feature 'catalogue'
-- What it compares, made of these; a measure on a bound belongs above it:
--   measure_1: news views (share)
--   measure_2: likes (share)
--   measure_3: offer views (share)
--   measure_4: points earned a month
--   measure_5: events an active day
--   measure_6: social events a month
--   measure_7: catalogue views (share)
-- Who was observed for fewer than 60 days, or of whom a count is NULL, has no segment (NULL).
SELECT
  "t1"."member",
  CASE
    WHEN NOT "t1"."known"
    THEN CAST(NULL AS VARCHAR)
    WHEN "t1"."measure_1" < 0.2
    AND "t1"."measure_2" < 0.2
    AND "t1"."measure_3" < 0.1
    AND "t1"."measure_4" < 55.0
    AND "t1"."measure_5" >= 3.1
    AND "t1"."measure_6" >= 1.0
    THEN 'frequent community viewers keen on likes'
    WHEN "t1"."measure_1" < 0.2
    AND "t1"."measure_2" < 0.2
    AND "t1"."measure_3" < 0.1
    AND "t1"."measure_4" >= 55.0
    AND "t1"."measure_7" < 0.08
    THEN 'frequent community viewers keen on likes'
    WHEN "t1"."measure_1" < 0.2 AND "t1"."measure_2" >= 0.2
    THEN 'frequent community viewers keen on likes'
    WHEN "t1"."measure_1" < 0.2
    AND "t1"."measure_2" < 0.2
    AND "t1"."measure_3" < 0.1
    AND "t1"."measure_4" >= 55.0
    AND "t1"."measure_7" >= 0.08
    THEN 'frequent catalogue viewers who spend more'
    WHEN "t1"."measure_1" < 0.2
    AND "t1"."measure_2" < 0.2
    AND "t1"."measure_3" < 0.1
    AND "t1"."measure_4" < 55.0
    AND "t1"."measure_5" >= 3.1
    AND "t1"."measure_6" < 1.0
    THEN 'news viewers who spend less'
    WHEN "t1"."measure_1" >= 0.2 AND "t1"."measure_5" >= 2.8
    THEN 'news viewers who spend less'
    WHEN "t1"."measure_1" < 0.2
    AND "t1"."measure_2" < 0.2
    AND "t1"."measure_3" >= 0.1
    AND "t1"."measure_4" >= 15.0
    THEN 'offer viewers keen on tasks'
    ELSE 'occasional searchers who do less a day'
  END AS "segment"
FROM (
  SELECT
    "t0"."member",
    "t0"."observed_days" IS NOT NULL
    AND "t0"."kind_6" IS NOT NULL
    AND "t0"."events" IS NOT NULL
    AND "t0"."kind_2" IS NOT NULL
    AND "t0"."kind_7" IS NOT NULL
    AND "t0"."points_earned" IS NOT NULL
    AND "t0"."active_days" IS NOT NULL
    AND "t0"."social" IS NOT NULL
    AND "t0"."kind_5" IS NOT NULL
    AND "t0"."observed_days" >= 60 AS "known",
    CASE
      WHEN CAST("t0"."events" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."kind_6" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."events" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_1",
    CASE
      WHEN CAST("t0"."events" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."kind_2" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."events" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_2",
    CASE
      WHEN CAST("t0"."events" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."kind_7" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."events" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_3",
    CASE
      WHEN CAST("t0"."observed_days" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."points_earned" * 30 AS DOUBLE PRECISION) / NULLIF(CAST("t0"."observed_days" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_4",
    CASE
      WHEN CAST("t0"."active_days" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."events" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."active_days" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_5",
    CASE
      WHEN CAST("t0"."observed_days" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."social" * 30 AS DOUBLE PRECISION) / NULLIF(CAST("t0"."observed_days" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_6",
    CASE
      WHEN CAST("t0"."events" AS DOUBLE PRECISION) > 0
      THEN CAST("t0"."kind_5" AS DOUBLE PRECISION) / NULLIF(CAST("t0"."events" AS DOUBLE PRECISION), 0.0)
      ELSE 0.0
    END AS "measure_7"
  FROM "member_counts" AS "t0"
) AS "t1";
