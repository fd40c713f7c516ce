IF @objname IS NULL
    SELECT DB_NAME() AS database_name, CAST('16.00 MB' AS varchar(18)) AS database_size, CAST('8.00 MB' AS varchar(18)) AS [unallocated space];
ELSE
    SELECT OBJECT_NAME(OBJECT_ID(@objname)) AS name,
           CAST(SUM(CASE WHEN p.index_id < 2 THEN p.row_count ELSE 0 END) AS char(20)) AS rows,
           CAST(CONCAT(SUM(p.reserved_page_count) * 8, ' KB') AS varchar(18)) AS reserved,
           CAST(CONCAT(SUM(CASE WHEN p.index_id < 2 THEN p.used_page_count ELSE 0 END) * 8, ' KB') AS varchar(18)) AS data,
           CAST(CONCAT(SUM(CASE WHEN p.index_id < 2 THEN 0 ELSE p.used_page_count END) * 8, ' KB') AS varchar(18)) AS index_size,
           CAST('0 KB' AS varchar(18)) AS unused
    FROM sys.dm_db_partition_stats AS p
    WHERE p.object_id = OBJECT_ID(@objname);
