USE [master]
GO
/****** Object:  Database [Warehouse] ******/
IF DB_ID(N'Warehouse') IS NOT NULL
    DROP DATABASE [Warehouse]
GO
CREATE DATABASE [Warehouse]
 CONTAINMENT = NONE
 ON  PRIMARY
( NAME = N'Warehouse', FILENAME = N'/var/opt/mssql/data/Warehouse.mdf' , SIZE = 8192KB , MAXSIZE = UNLIMITED, FILEGROWTH = 65536KB )
 LOG ON
( NAME = N'Warehouse_log', FILENAME = N'/var/opt/mssql/data/Warehouse_log.ldf' , SIZE = 8192KB , MAXSIZE = 2048GB , FILEGROWTH = 65536KB )
GO
ALTER DATABASE [Warehouse] SET COMPATIBILITY_LEVEL = 150
GO
ALTER DATABASE [Warehouse] SET ANSI_NULL_DEFAULT OFF
GO
ALTER DATABASE [Warehouse] SET ANSI_NULLS OFF
GO
ALTER DATABASE [Warehouse] SET AUTO_CLOSE OFF
GO
ALTER DATABASE [Warehouse] SET AUTO_UPDATE_STATISTICS ON
GO
ALTER DATABASE [Warehouse] SET CURSOR_DEFAULT  GLOBAL
GO
ALTER DATABASE [Warehouse] SET  DISABLE_BROKER
GO
ALTER DATABASE [Warehouse] SET DATE_CORRELATION_OPTIMIZATION OFF
GO
ALTER DATABASE [Warehouse] SET PARAMETERIZATION SIMPLE
GO
ALTER DATABASE [Warehouse] SET READ_COMMITTED_SNAPSHOT OFF
GO
ALTER DATABASE [Warehouse] SET RECOVERY SIMPLE
GO
ALTER DATABASE [Warehouse] SET  MULTI_USER
GO
ALTER DATABASE [Warehouse] SET PAGE_VERIFY CHECKSUM
GO
ALTER DATABASE [Warehouse] SET DB_CHAINING OFF
GO
ALTER DATABASE [Warehouse] SET FILESTREAM( NON_TRANSACTED_ACCESS = OFF )
GO
ALTER DATABASE [Warehouse] SET TARGET_RECOVERY_TIME = 60 SECONDS
GO
ALTER DATABASE [Warehouse] SET DELAYED_DURABILITY = DISABLED
GO
ALTER DATABASE [Warehouse] SET QUERY_STORE = OFF
GO
ALTER DATABASE [Warehouse] SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 3 DAYS, AUTO_CLEANUP = ON)
GO
ALTER DATABASE [Warehouse] SET ALLOW_SNAPSHOT_ISOLATION ON
GO
USE [Warehouse]
GO
/****** Object:  Schema [stock] ******/
CREATE SCHEMA [stock]
GO
/****** Object:  Table [dbo].[Article] ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE TABLE [dbo].[Article](
	[ArticleId] [int] IDENTITY(1,1) NOT NULL,
	[Code] [nvarchar](40) COLLATE Modern_Spanish_CI_AS NOT NULL,
	[Description] [nvarchar](max) NULL,
	[Weight] [decimal](18, 3) NULL,
	[Price] [money] NOT NULL,
	[Active] [bit] NOT NULL,
	[CreatedAt] [datetime2](3) NOT NULL,
	[RowVersion] [timestamp] NOT NULL,
	[PriceWithTax]  AS ([Price]*(1.21)) PERSISTED,
 CONSTRAINT [PK_Article] PRIMARY KEY CLUSTERED
(
	[ArticleId] ASC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF, IGNORE_DUP_KEY = OFF, ALLOW_ROW_LOCKS = ON, ALLOW_PAGE_LOCKS = ON, OPTIMIZE_FOR_SEQUENTIAL_KEY = OFF) ON [PRIMARY],
 CONSTRAINT [UQ_Article_Code] UNIQUE NONCLUSTERED
(
	[Code] ASC
)WITH (PAD_INDEX = ON, STATISTICS_NORECOMPUTE = OFF, IGNORE_DUP_KEY = OFF, ALLOW_ROW_LOCKS = ON, ALLOW_PAGE_LOCKS = OFF, FILLFACTOR = 90) ON [PRIMARY]
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
/****** Object:  Table [stock].[Location] ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE TABLE [stock].[Location](
	[Aisle] [char](2) NOT NULL,
	[Slot] [smallint] NOT NULL,
	[Kind] [varchar](20) NOT NULL,
	[Blocked] [bit] NULL,
 CONSTRAINT [PK_Location] PRIMARY KEY CLUSTERED
(
	[Aisle] ASC,
	[Slot] DESC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF, IGNORE_DUP_KEY = OFF, ALLOW_ROW_LOCKS = ON, ALLOW_PAGE_LOCKS = ON) ON [PRIMARY]
) ON [PRIMARY]
GO
/****** Object:  Table [stock].[Movement] ******/
CREATE TABLE [stock].[Movement](
	[MovementId] [bigint] IDENTITY(1000,10) NOT FOR REPLICATION NOT NULL,
	[ArticleId] [int] NOT NULL,
	[Aisle] [char](2) NULL,
	[Slot] [smallint] NULL,
	[Quantity] [int] NOT NULL,
	[Voucher] [varchar](20) NULL,
	[MovedAt] [datetime] NOT NULL
) ON [PRIMARY]
GO
ALTER TABLE [stock].[Movement] ADD  CONSTRAINT [PK_Movement] PRIMARY KEY NONCLUSTERED
(
	[MovementId] ASC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF, SORT_IN_TEMPDB = OFF, IGNORE_DUP_KEY = OFF, ONLINE = OFF, ALLOW_ROW_LOCKS = ON, ALLOW_PAGE_LOCKS = ON) ON [PRIMARY]
GO
/****** Object:  Index [IX_Movement_Article] ******/
CREATE NONCLUSTERED INDEX [IX_Movement_Article] ON [stock].[Movement]
(
	[ArticleId] ASC,
	[MovedAt] DESC
)
INCLUDE([Quantity],[Voucher]) WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF, SORT_IN_TEMPDB = OFF, DROP_EXISTING = OFF, ONLINE = OFF, ALLOW_ROW_LOCKS = ON, ALLOW_PAGE_LOCKS = ON) ON [PRIMARY]
GO
/****** Object:  Index [UX_Movement_Voucher] ******/
CREATE UNIQUE NONCLUSTERED INDEX [UX_Movement_Voucher] ON [stock].[Movement]
(
	[Voucher] ASC
)
WHERE ([Voucher] IS NOT NULL AND [Quantity]<>(0))
WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF, SORT_IN_TEMPDB = OFF, IGNORE_DUP_KEY = OFF, DROP_EXISTING = OFF, ONLINE = OFF, ALLOW_ROW_LOCKS = ON, ALLOW_PAGE_LOCKS = ON) ON [PRIMARY]
GO
ALTER TABLE [dbo].[Article] ADD  CONSTRAINT [DF_Article_Price]  DEFAULT ((0)) FOR [Price]
GO
ALTER TABLE [dbo].[Article] ADD  CONSTRAINT [DF_Article_Active]  DEFAULT ((1)) FOR [Active]
GO
ALTER TABLE [dbo].[Article] ADD  CONSTRAINT [DF_Article_CreatedAt]  DEFAULT (sysutcdatetime()) FOR [CreatedAt]
GO
ALTER TABLE [stock].[Movement] ADD  CONSTRAINT [DF_Movement_MovedAt]  DEFAULT (getdate()) FOR [MovedAt]
GO
ALTER TABLE [stock].[Movement]  WITH CHECK ADD  CONSTRAINT [FK_Movement_Article] FOREIGN KEY([ArticleId])
REFERENCES [dbo].[Article] ([ArticleId])
ON UPDATE CASCADE
GO
ALTER TABLE [stock].[Movement] CHECK CONSTRAINT [FK_Movement_Article]
GO
ALTER TABLE [stock].[Movement]  WITH NOCHECK ADD  CONSTRAINT [FK_Movement_Location] FOREIGN KEY([Aisle], [Slot])
REFERENCES [stock].[Location] ([Aisle], [Slot])
GO
ALTER TABLE [stock].[Movement] NOCHECK CONSTRAINT [FK_Movement_Location]
GO
ALTER TABLE [stock].[Location]  WITH CHECK ADD  CONSTRAINT [CK_Location_Kind] CHECK  (([Kind]='shelf' OR [Kind]='floor'))
GO
ALTER TABLE [stock].[Location] CHECK CONSTRAINT [CK_Location_Kind]
GO
ALTER TABLE [stock].[Movement] SET (LOCK_ESCALATION = DISABLE)
GO
/****** Object:  View [stock].[OnHand] ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE VIEW [stock].[OnHand]
AS
SELECT a.[ArticleId], a.[Code], ISNULL(SUM(m.[Quantity]), 0) AS [OnHand]
FROM [dbo].[Article] a
LEFT OUTER JOIN [stock].[Movement] m ON m.[ArticleId] = a.[ArticleId]
GROUP BY a.[ArticleId], a.[Code]
GO
CREATE SYNONYM [dbo].[Stock] FOR [stock].[OnHand]
GO
EXEC sys.sp_addextendedproperty @name=N'MS_Description', @value=N'Articles that the warehouse keeps' , @level0type=N'SCHEMA',@level0name=N'dbo', @level1type=N'TABLE',@level1name=N'Article'
GO
EXEC sys.sp_addextendedproperty @name=N'MS_Description', @value=N'Its code, as printed' , @level0type=N'SCHEMA',@level0name=N'dbo', @level1type=N'TABLE',@level1name=N'Article', @level2type=N'COLUMN',@level2name=N'Code'
GO
ALTER TABLE [dbo].[Article] ENABLE CHANGE_TRACKING WITH(TRACK_COLUMNS_UPDATED = ON)
GO
SET IDENTITY_INSERT [dbo].[Article] ON
GO
INSERT [dbo].[Article] ([ArticleId], [Code], [Description], [Weight], [Price], [Active]) VALUES (1, N'TORNILLO-1', N'Un tornillo', CAST(0.010 AS Decimal(18, 3)), 0.1000, 1)
GO
INSERT [dbo].[Article] ([ArticleId], [Code], [Description], [Weight], [Price], [Active]) VALUES (2, N'Ñandú', NULL, NULL, 25.0000, 0)
GO
SET IDENTITY_INSERT [dbo].[Article] OFF
GO
INSERT [stock].[Location] ([Aisle], [Slot], [Kind]) VALUES (N'A1', 1, N'shelf'), (N'A1', 2, N'floor')
GO
INSERT [stock].[Movement] ([ArticleId], [Aisle], [Slot], [Quantity], [Voucher]) VALUES (1, N'A1', 1, 5, NULL)
GO 3
INSERT [stock].[Movement] ([ArticleId], [Aisle], [Slot], [Quantity], [Voucher]) VALUES (1, N'Z9', 9, -2, N'V1')
PRINT N'one voucher'
GO
SELECT [Code], [OnHand] FROM [dbo].[Stock] ORDER BY [Code]
GO
