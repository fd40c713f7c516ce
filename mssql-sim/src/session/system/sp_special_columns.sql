SELECT CAST(CASE @col_type WHEN 'V' THEN NULL ELSE 1 END AS smallint) AS SCOPE,
       c.name AS COLUMN_NAME,
       CAST(CASE y.name
            WHEN 'char' THEN 1 WHEN 'numeric' THEN 2 WHEN 'decimal' THEN 3 WHEN 'int' THEN 4 WHEN 'smallint' THEN 5
            WHEN 'float' THEN 6 WHEN 'real' THEN 7 WHEN 'datetime' THEN 11 WHEN 'varchar' THEN 12
            WHEN 'binary' THEN -2 WHEN 'timestamp' THEN -2 WHEN 'varbinary' THEN -3 WHEN 'bigint' THEN -5
            WHEN 'tinyint' THEN -6 WHEN 'bit' THEN -7 WHEN 'nchar' THEN -8 WHEN 'nvarchar' THEN -9
            WHEN 'uniqueidentifier' THEN -11 ELSE -9 END AS smallint) AS DATA_TYPE,
       y.name AS TYPE_NAME,
       CAST(CASE WHEN y.name IN ('nchar', 'nvarchar') THEN c.max_length / 2
            WHEN c.precision = 0 THEN c.max_length ELSE c.precision END AS int) AS "PRECISION",
       CAST(c.max_length AS int) AS LENGTH,
       CAST(c.scale AS smallint) AS SCALE,
       CAST(1 AS smallint) AS PSEUDO_COLUMN
FROM sys.tables AS t
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.columns AS c ON c.object_id = t.object_id
JOIN sys.types AS y ON y.user_type_id = c.user_type_id
LEFT JOIN sys.key_constraints AS p ON p.parent_object_id = t.object_id AND p.type = 'PK'
LEFT JOIN sys.index_columns AS k
  ON k.object_id = t.object_id AND k.index_id = p.unique_index_id AND k.column_id = c.column_id
WHERE t.name = @table_name
  AND (@table_owner IS NULL OR s.name = @table_owner)
  AND (@col_type = 'V' AND y.name = 'timestamp' OR @col_type <> 'V' AND k.key_ordinal > 0)
ORDER BY k.key_ordinal
