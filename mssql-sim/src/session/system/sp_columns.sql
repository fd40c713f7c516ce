SELECT CAST(c.TABLE_CATALOG AS nvarchar(128)) AS TABLE_QUALIFIER,
       c.TABLE_SCHEMA AS TABLE_OWNER,
       c.TABLE_NAME,
       c.COLUMN_NAME,
       CAST(CASE c.DATA_TYPE
            WHEN 'char' THEN 1 WHEN 'numeric' THEN 2 WHEN 'decimal' THEN 3 WHEN 'money' THEN 3
            WHEN 'smallmoney' THEN 3 WHEN 'int' THEN 4 WHEN 'smallint' THEN 5 WHEN 'float' THEN 6 WHEN 'real' THEN 7
            WHEN 'varchar' THEN 12 WHEN 'text' THEN -1 WHEN 'binary' THEN -2 WHEN 'timestamp' THEN -2
            WHEN 'varbinary' THEN -3 WHEN 'image' THEN -4 WHEN 'bigint' THEN -5 WHEN 'tinyint' THEN -6
            WHEN 'bit' THEN -7 WHEN 'nchar' THEN -8 WHEN 'nvarchar' THEN -9 WHEN 'ntext' THEN -10
            WHEN 'uniqueidentifier' THEN -11 WHEN 'sql_variant' THEN -150 WHEN 'xml' THEN -152
            WHEN 'datetime' THEN CASE @ODBCVer WHEN 3 THEN 93 ELSE 11 END
            WHEN 'smalldatetime' THEN CASE @ODBCVer WHEN 3 THEN 93 ELSE 11 END
            WHEN 'datetime2' THEN CASE @ODBCVer WHEN 3 THEN 93 ELSE -9 END
            WHEN 'date' THEN CASE @ODBCVer WHEN 3 THEN 91 ELSE -9 END
            WHEN 'time' THEN CASE @ODBCVer WHEN 3 THEN -154 ELSE -9 END
            WHEN 'datetimeoffset' THEN CASE @ODBCVer WHEN 3 THEN -155 ELSE -9 END
            ELSE -151 END AS smallint) AS DATA_TYPE,
       CAST(CASE WHEN s.is_identity = 1 THEN c.DATA_TYPE + ' identity' ELSE c.DATA_TYPE END AS nvarchar(128)) AS TYPE_NAME,
       CAST(CASE c.DATA_TYPE
            WHEN 'float' THEN 15 WHEN 'real' THEN 7 WHEN 'timestamp' THEN 8 WHEN 'uniqueidentifier' THEN 36
            WHEN 'text' THEN 2147483647 WHEN 'image' THEN 2147483647 WHEN 'ntext' THEN 1073741823
            ELSE CASE WHEN c.CHARACTER_MAXIMUM_LENGTH = -1 THEN 0
                 ELSE COALESCE(c.CHARACTER_MAXIMUM_LENGTH, s.precision) END END AS int) AS "PRECISION",
       CAST(CASE
            WHEN c.DATA_TYPE IN ('decimal', 'numeric') THEN s.precision + 2
            WHEN c.DATA_TYPE = 'money' THEN 21 WHEN c.DATA_TYPE = 'smallmoney' THEN 12
            WHEN c.DATA_TYPE IN ('datetime', 'smalldatetime', 'datetime2') THEN 16
            WHEN c.DATA_TYPE = 'date' THEN 6 WHEN c.DATA_TYPE = 'time' THEN 12 WHEN c.DATA_TYPE = 'datetimeoffset' THEN 20
            WHEN c.CHARACTER_OCTET_LENGTH = -1 THEN 0
            ELSE COALESCE(c.CHARACTER_OCTET_LENGTH, s.max_length) END AS int) AS LENGTH,
       CAST(CASE WHEN c.NUMERIC_PRECISION_RADIX = 2 THEN NULL
            ELSE COALESCE(c.NUMERIC_SCALE, c.DATETIME_PRECISION) END AS smallint) AS SCALE,
       CAST(CASE WHEN c.NUMERIC_PRECISION IS NULL THEN NULL ELSE 10 END AS smallint) AS RADIX,
       CAST(CASE c.IS_NULLABLE WHEN 'YES' THEN 1 ELSE 0 END AS smallint) AS NULLABLE,
       CAST(NULL AS varchar(254)) AS REMARKS,
       c.COLUMN_DEFAULT AS COLUMN_DEF,
       CAST(CASE c.DATA_TYPE
            WHEN 'char' THEN 1 WHEN 'numeric' THEN 2 WHEN 'decimal' THEN 3 WHEN 'money' THEN 3
            WHEN 'smallmoney' THEN 3 WHEN 'int' THEN 4 WHEN 'smallint' THEN 5 WHEN 'float' THEN 6 WHEN 'real' THEN 7
            WHEN 'varchar' THEN 12 WHEN 'text' THEN -1 WHEN 'binary' THEN -2 WHEN 'timestamp' THEN -2
            WHEN 'varbinary' THEN -3 WHEN 'image' THEN -4 WHEN 'bigint' THEN -5 WHEN 'tinyint' THEN -6
            WHEN 'bit' THEN -7 WHEN 'nchar' THEN -8 WHEN 'nvarchar' THEN -9 WHEN 'ntext' THEN -10
            WHEN 'uniqueidentifier' THEN -11 WHEN 'sql_variant' THEN -150 WHEN 'xml' THEN -152
            WHEN 'datetime' THEN 9 WHEN 'smalldatetime' THEN 9 WHEN 'datetime2' THEN 9 WHEN 'date' THEN 9
            WHEN 'time' THEN -154 WHEN 'datetimeoffset' THEN -155 ELSE -151 END AS smallint) AS SQL_DATA_TYPE,
       CAST(CASE c.DATA_TYPE WHEN 'date' THEN 1 WHEN 'time' THEN 0 WHEN 'datetimeoffset' THEN 0
            WHEN 'datetime' THEN 3 WHEN 'smalldatetime' THEN 3 WHEN 'datetime2' THEN 3 END AS smallint) AS SQL_DATETIME_SUB,
       CAST(CASE WHEN c.CHARACTER_OCTET_LENGTH = -1 THEN 0 ELSE c.CHARACTER_OCTET_LENGTH END AS int) AS CHAR_OCTET_LENGTH,
       c.ORDINAL_POSITION,
       CAST(c.IS_NULLABLE AS varchar(254)) AS IS_NULLABLE,
       CAST(CASE c.DATA_TYPE
            WHEN 'bit' THEN CASE s.is_nullable WHEN 1 THEN 50 ELSE 50 END
            WHEN 'tinyint' THEN CASE s.is_nullable WHEN 1 THEN 38 ELSE 48 END
            WHEN 'smallint' THEN CASE s.is_nullable WHEN 1 THEN 38 ELSE 52 END
            WHEN 'int' THEN CASE s.is_nullable WHEN 1 THEN 38 ELSE 56 END
            WHEN 'bigint' THEN CASE s.is_nullable WHEN 1 THEN 108 ELSE 63 END
            WHEN 'decimal' THEN CASE s.is_nullable WHEN 1 THEN 106 ELSE 55 END
            WHEN 'numeric' THEN CASE s.is_nullable WHEN 1 THEN 108 ELSE 63 END
            WHEN 'money' THEN CASE s.is_nullable WHEN 1 THEN 110 ELSE 60 END
            WHEN 'float' THEN CASE s.is_nullable WHEN 1 THEN 109 ELSE 62 END
            WHEN 'datetime' THEN CASE s.is_nullable WHEN 1 THEN 111 ELSE 61 END
            WHEN 'char' THEN 39 WHEN 'nchar' THEN 39 WHEN 'varchar' THEN 39 WHEN 'nvarchar' THEN 39
            WHEN 'binary' THEN 37 WHEN 'varbinary' THEN 37 WHEN 'timestamp' THEN 45 WHEN 'uniqueidentifier' THEN 37
            WHEN 'text' THEN 35 WHEN 'ntext' THEN 35 WHEN 'image' THEN 34 ELSE 0 END AS tinyint) AS SS_DATA_TYPE
FROM INFORMATION_SCHEMA.COLUMNS AS c
JOIN sys.all_columns AS s
  ON s.object_id = OBJECT_ID(QUOTENAME(c.TABLE_SCHEMA) + '.' + QUOTENAME(c.TABLE_NAME)) AND s.name = c.COLUMN_NAME
WHERE c.TABLE_NAME LIKE @table_name
  AND (@table_owner IS NULL OR c.TABLE_SCHEMA LIKE @table_owner)
  AND (@table_qualifier IS NULL OR c.TABLE_CATALOG = @table_qualifier)
  AND (@column_name IS NULL OR c.COLUMN_NAME LIKE @column_name)
ORDER BY 1, 2, 3, c.ORDINAL_POSITION
