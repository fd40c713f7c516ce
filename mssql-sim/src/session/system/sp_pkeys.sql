SELECT CAST(DB_NAME() AS nvarchar(128)) AS TABLE_QUALIFIER,
       s.name AS TABLE_OWNER,
       t.name AS TABLE_NAME,
       c.name AS COLUMN_NAME,
       CAST(k.key_ordinal AS smallint) AS KEY_SEQ,
       p.name AS PK_NAME
FROM sys.key_constraints AS p
JOIN sys.tables AS t ON t.object_id = p.parent_object_id
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.index_columns AS k ON k.object_id = t.object_id AND k.index_id = p.unique_index_id
JOIN sys.columns AS c ON c.object_id = t.object_id AND c.column_id = k.column_id
WHERE p.type = 'PK'
  AND t.name = @table_name
  AND (@table_owner IS NULL OR s.name = @table_owner)
  AND (@table_qualifier IS NULL OR DB_NAME() = @table_qualifier)
ORDER BY 1, 2, 3, 5
