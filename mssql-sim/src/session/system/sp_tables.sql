SELECT CAST(t.TABLE_CATALOG AS nvarchar(128)) AS TABLE_QUALIFIER,
       t.TABLE_SCHEMA AS TABLE_OWNER,
       t.TABLE_NAME,
       CAST(CASE t.TABLE_TYPE WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END AS varchar(32)) AS TABLE_TYPE,
       CAST(NULL AS varchar(254)) AS REMARKS
FROM INFORMATION_SCHEMA.TABLES AS t
WHERE (@table_name IS NULL OR t.TABLE_NAME LIKE @table_name)
  AND (@table_owner IS NULL OR t.TABLE_SCHEMA LIKE @table_owner)
  AND (@table_qualifier IS NULL OR t.TABLE_CATALOG = @table_qualifier)
  AND (@table_type IS NULL
       OR t.TABLE_TYPE = 'VIEW' AND @table_type LIKE '%''VIEW''%'
       OR t.TABLE_TYPE <> 'VIEW' AND @table_type LIKE '%''TABLE''%')
ORDER BY 4, 1, 2, 3
