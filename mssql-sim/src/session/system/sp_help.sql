SELECT o.name AS Name, s.name AS Owner, CAST(LOWER(REPLACE(o.type_desc, '_', ' ')) AS nvarchar(31)) AS Type, o.create_date AS Created_datetime
FROM sys.all_objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
WHERE o.object_id = OBJECT_ID(@objname) OR @objname IS NULL AND o.is_ms_shipped = 0
ORDER BY 2, 1;
IF @objname IS NOT NULL
    SELECT c.name AS Column_name,
           y.name AS Type,
           CAST(CASE c.is_computed WHEN 1 THEN 'yes' ELSE 'no' END AS varchar(35)) AS Computed,
           CAST(c.max_length AS int) AS Length,
           CAST(c.precision AS char(5)) AS Prec,
           CAST(c.scale AS char(5)) AS Scale,
           CAST(CASE c.is_nullable WHEN 1 THEN 'yes' ELSE 'no' END AS varchar(35)) AS Nullable,
           c.collation_name AS Collation
    FROM sys.all_columns AS c
    JOIN sys.types AS y ON y.user_type_id = c.user_type_id
    WHERE c.object_id = OBJECT_ID(@objname)
    ORDER BY c.column_id;
