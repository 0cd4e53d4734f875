AUDIT (name known);
SELECT * FROM @this_model WHERE @column NOT IN (SELECT @as FROM @among)
