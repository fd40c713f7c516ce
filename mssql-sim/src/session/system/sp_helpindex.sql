SELECT i.name AS index_name,
       CAST(CASE i.type WHEN 1 THEN 'clustered' ELSE 'nonclustered' END
            + CASE WHEN i.is_unique = 1 THEN ', unique' ELSE '' END
            + CASE WHEN i.is_primary_key = 1 THEN ', primary key' WHEN i.is_unique_constraint = 1 THEN ', unique key' ELSE '' END
            + ' located on PRIMARY' AS varchar(210)) AS index_description,
       CAST((SELECT STRING_AGG(c.name + CASE k.is_descending_key WHEN 1 THEN '(-)' ELSE '' END, ', ')
                    WITHIN GROUP (ORDER BY k.key_ordinal)
             FROM sys.index_columns AS k JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
             WHERE k.object_id = i.object_id AND k.index_id = i.index_id AND k.is_included_column = 0) AS nvarchar(2126)) AS index_keys
FROM sys.indexes AS i
WHERE i.object_id = OBJECT_ID(@objname) AND i.index_id > 0
ORDER BY 1
