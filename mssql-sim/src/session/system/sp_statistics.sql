SELECT CAST(DB_NAME() AS nvarchar(128)) AS TABLE_QUALIFIER,
       s.name AS TABLE_OWNER,
       t.name AS TABLE_NAME,
       CAST(NULL AS smallint) AS NON_UNIQUE,
       CAST(NULL AS nvarchar(128)) AS INDEX_QUALIFIER,
       CAST(NULL AS nvarchar(128)) AS INDEX_NAME,
       CAST(0 AS smallint) AS TYPE,
       CAST(NULL AS smallint) AS SEQ_IN_INDEX,
       CAST(NULL AS nvarchar(128)) AS COLUMN_NAME,
       CAST(NULL AS char(1)) AS COLLATION,
       CAST(p.rows AS int) AS CARDINALITY,
       CAST(NULL AS int) AS PAGES,
       CAST(NULL AS varchar(128)) AS FILTER_CONDITION
FROM sys.tables AS t
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.partitions AS p ON p.object_id = t.object_id AND p.index_id IN (0, 1)
WHERE t.name = @table_name AND (@table_owner IS NULL OR s.name = @table_owner)
UNION ALL
SELECT DB_NAME(),
       s.name,
       t.name,
       CASE i.is_unique WHEN 1 THEN 0 ELSE 1 END,
       t.name,
       i.name,
       CASE i.type WHEN 1 THEN 1 ELSE 3 END,
       k.key_ordinal,
       c.name,
       CASE k.is_descending_key WHEN 1 THEN 'D' ELSE 'A' END,
       p.rows,
       NULL,
       i.filter_definition
FROM sys.tables AS t
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.indexes AS i ON i.object_id = t.object_id AND i.index_id > 0
JOIN sys.partitions AS p ON p.object_id = t.object_id AND p.index_id = i.index_id
JOIN sys.index_columns AS k ON k.object_id = t.object_id AND k.index_id = i.index_id AND k.is_included_column = 0
JOIN sys.columns AS c ON c.object_id = t.object_id AND c.column_id = k.column_id
WHERE t.name = @table_name
  AND (@table_owner IS NULL OR s.name = @table_owner)
  AND (@index_name IS NULL OR i.name LIKE @index_name)
  AND (i.is_unique = 1 OR @is_unique <> 'Y')
ORDER BY 4, 7, 6, 8
