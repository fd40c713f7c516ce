SELECT CAST(DB_NAME() AS nvarchar(128)) AS PKTABLE_QUALIFIER,
       ps.name AS PKTABLE_OWNER,
       p.name AS PKTABLE_NAME,
       pc.name AS PKCOLUMN_NAME,
       CAST(DB_NAME() AS nvarchar(128)) AS FKTABLE_QUALIFIER,
       fs.name AS FKTABLE_OWNER,
       t.name AS FKTABLE_NAME,
       fc.name AS FKCOLUMN_NAME,
       CAST(k.constraint_column_id AS smallint) AS KEY_SEQ,
       CAST(CASE f.update_referential_action WHEN 1 THEN 0 ELSE 1 END AS smallint) AS UPDATE_RULE,
       CAST(CASE f.delete_referential_action WHEN 1 THEN 0 ELSE 1 END AS smallint) AS DELETE_RULE,
       f.name AS FK_NAME,
       i.name AS PK_NAME,
       CAST(7 AS smallint) AS DEFERRABILITY
FROM sys.foreign_keys AS f
JOIN sys.foreign_key_columns AS k ON k.constraint_object_id = f.object_id
JOIN sys.tables AS t ON t.object_id = f.parent_object_id
JOIN sys.schemas AS fs ON fs.schema_id = t.schema_id
JOIN sys.columns AS fc ON fc.object_id = t.object_id AND fc.column_id = k.parent_column_id
JOIN sys.tables AS p ON p.object_id = f.referenced_object_id
JOIN sys.schemas AS ps ON ps.schema_id = p.schema_id
JOIN sys.columns AS pc ON pc.object_id = p.object_id AND pc.column_id = k.referenced_column_id
JOIN sys.indexes AS i ON i.object_id = p.object_id AND i.index_id = f.key_index_id
WHERE (@pktable_name IS NULL OR p.name = @pktable_name)
  AND (@pktable_owner IS NULL OR ps.name = @pktable_owner)
  AND (@fktable_name IS NULL OR t.name = @fktable_name)
  AND (@fktable_owner IS NULL OR fs.name = @fktable_owner)
ORDER BY 6, 7, 12, 9
