SELECT CAST(m.definition AS nvarchar(255)) AS Text
FROM sys.sql_modules AS m
WHERE m.object_id = OBJECT_ID(@objname)
