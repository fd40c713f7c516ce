"""Loads real data into a SQL Server and changes it, through pymssql: a client that nobody here wrote.

    real_data.py PORT PASSWORD load DATA_FOLDER
    real_data.py PORT PASSWORD change SEED WRITER TRANSACTIONS

Writers with different numbers use keys of their own for new rows, and change each other's rows.

What was done is printed as one JSON line, with the rows of each kind of statement.
"""

import csv
import json
import pathlib
import random
import sys
from decimal import Decimal

import pymssql

SCHEMA = [
    "ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 2 DAYS, AUTO_CLEANUP = ON)",
    "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON",
    "CREATE SCHEMA logistics",
    "CREATE SCHEMA northwind",
    """CREATE TABLE logistics.OrderList ([Order ID] decimal(12,1) NOT NULL PRIMARY KEY, [Order Date] datetime NOT NULL,
       [Origin Port] char(8) NOT NULL, [Carrier] varchar(10) NOT NULL, [TPT] tinyint NOT NULL, [Service Level] char(5) NOT NULL,
       [Ship ahead day count] smallint NOT NULL, [Ship Late Day count] int NOT NULL, [Customer] varchar(30) NOT NULL,
       [Product ID] int NOT NULL, [Plant Code] char(10) NOT NULL, [Destination Port] char(6) NOT NULL,
       [Unit quantity] int NOT NULL, [Weight] float NOT NULL)""",
    """CREATE TABLE logistics.FreightRates ([Carrier] varchar(10), [orig_port_cd] char(6), [dest_port_cd] char(6),
       [minm_wgh_qty] float, [max_wgh_qty] float, [svc_cd] char(3), [minimum cost] decimal(28,18), [rate] decimal(28,18),
       [mode_dsc] varchar(10), [tpt_day_cnt] tinyint, [Carrier type] varchar(20))""",
    """CREATE TABLE logistics.PlantPorts ([Plant Code] char(10) NOT NULL, [Port] char(8) NOT NULL,
       CONSTRAINT pk_plant_ports PRIMARY KEY ([Plant Code], [Port]))""",
    """CREATE TABLE logistics.ProductsPerPlant ([Plant Code] varchar(10) NOT NULL, [Product ID] int NOT NULL,
       CONSTRAINT pk_products_per_plant PRIMARY KEY ([Plant Code], [Product ID]))""",
    """CREATE TABLE logistics.VmiCustomers ([Plant Code] varchar(10) NOT NULL, [Customers] varchar(30) NOT NULL,
       CONSTRAINT pk_vmi_customers PRIMARY KEY ([Plant Code], [Customers]))""",
    "CREATE TABLE logistics.WhCapacities ([Plant ID] varchar(10) NOT NULL PRIMARY KEY, [Daily Capacity] smallint NOT NULL)",
    "CREATE TABLE logistics.WhCosts ([WH] varchar(10) NOT NULL PRIMARY KEY, [Cost/unit] float NOT NULL)",
    """CREATE TABLE northwind.Categories (categoryID int NOT NULL PRIMARY KEY, categoryName nvarchar(15) NOT NULL,
       description nvarchar(max) NULL, picture varbinary(max) NULL)""",
    """CREATE TABLE northwind.Customers (customerID nchar(5) NOT NULL PRIMARY KEY, companyName nvarchar(40) NOT NULL,
       contactName nvarchar(30), contactTitle nvarchar(30), address nvarchar(60), city nvarchar(30), region nvarchar(15),
       postalCode nvarchar(10), country nvarchar(15), phone nvarchar(24), fax nvarchar(24))""",
    """CREATE TABLE northwind.Employees (employeeID int NOT NULL PRIMARY KEY, lastName nvarchar(20) NOT NULL,
       firstName nvarchar(10) NOT NULL, title nvarchar(30), titleOfCourtesy nvarchar(25), birthDate datetime, hireDate datetime,
       address nvarchar(60), city nvarchar(15), region nvarchar(15), postalCode nvarchar(10), country nvarchar(15),
       homePhone nvarchar(24), extension nvarchar(4), photo varbinary(max), notes nvarchar(max), reportsTo int NULL,
       photoPath nvarchar(255))""",
    """CREATE TABLE northwind.EmployeeTerritories (employeeID int NOT NULL, territoryID nvarchar(20) NOT NULL,
       CONSTRAINT pk_employee_territories PRIMARY KEY (employeeID, territoryID))""",
    """CREATE TABLE northwind.Orders (orderID int NOT NULL PRIMARY KEY, customerID nchar(5), employeeID int, orderDate datetime,
       requiredDate datetime, shippedDate datetime, shipVia int, freight money, shipName nvarchar(40), shipAddress nvarchar(60),
       shipCity nvarchar(30), shipRegion nvarchar(15), shipPostalCode nvarchar(10), shipCountry nvarchar(15))""",
    """CREATE TABLE northwind.[Order Details] (orderID int NOT NULL, productID int NOT NULL, unitPrice money NOT NULL,
       quantity smallint NOT NULL, discount real NOT NULL, CONSTRAINT pk_order_details PRIMARY KEY (orderID, productID))""",
    """CREATE TABLE northwind.Products (productID int NOT NULL PRIMARY KEY, productName nvarchar(40) NOT NULL, supplierID int,
       categoryID int, quantityPerUnit nvarchar(20), unitPrice money, unitsInStock smallint, unitsOnOrder smallint,
       reorderLevel smallint, discontinued bit NOT NULL)""",
    "CREATE TABLE northwind.Regions (regionID int NOT NULL PRIMARY KEY, regionDescription nchar(50) NOT NULL)",
    "CREATE TABLE northwind.Shippers (shipperID int NOT NULL PRIMARY KEY, companyName nvarchar(40) NOT NULL, phone nvarchar(24))",
    """CREATE TABLE northwind.Suppliers (supplierID int NOT NULL PRIMARY KEY, companyName nvarchar(40) NOT NULL,
       contactName nvarchar(30), contactTitle nvarchar(30), address nvarchar(60), city nvarchar(40), region nvarchar(15),
       postalCode nvarchar(10), country nvarchar(15), phone nvarchar(24), fax nvarchar(24), homePage nvarchar(max))""",
    """CREATE TABLE northwind.Territories (territoryID nvarchar(20) NOT NULL PRIMARY KEY,
       territoryDescription nchar(50) NOT NULL, regionID int NOT NULL)""",
]

FILES = {
    "logistics.OrderList": "logistics/OrderList.csv",
    "logistics.FreightRates": "logistics/FreightRates.csv",
    "logistics.PlantPorts": "logistics/PlantPorts.csv",
    "logistics.ProductsPerPlant": "logistics/ProductsPerPlant.csv",
    "logistics.VmiCustomers": "logistics/VmiCustomers.csv",
    "logistics.WhCapacities": "logistics/WhCapacities.csv",
    "logistics.WhCosts": "logistics/WhCosts.csv",
    "northwind.Categories": "northwind/categories.csv",
    "northwind.Customers": "northwind/customers.csv",
    "northwind.Employees": "northwind/employees.csv",
    "northwind.EmployeeTerritories": "northwind/employee-territories.csv",
    "northwind.Orders": "northwind/orders.csv",
    "northwind.[Order Details]": "northwind/order-details.csv",
    "northwind.Products": "northwind/products.csv",
    "northwind.Regions": "northwind/regions.csv",
    "northwind.Shippers": "northwind/shippers.csv",
    "northwind.Suppliers": "northwind/suppliers.csv",
    "northwind.Territories": "northwind/territories.csv",
}

KEYLESS = "logistics.FreightRates"
ROWS_PER_INSERT = 200
DEADLOCK_VICTIM = 1205


def value(text):
    """A CSV cell as a parameter: the word NULL, hexadecimal binary, or text that the server converts."""
    if text == "NULL":
        return None
    if text.startswith("0x"):
        return bytes.fromhex(text[2:])
    return text


def rows_of(file):
    """The rows of a CSV file. Some of its texts hold a comma without quotes; what follows it begins with a blank."""
    with open(file, encoding="utf-8", newline="") as lines:
        header, *records = csv.reader(lines)
    rows = []
    for record in records:
        cells = []
        for cell in record:
            if cell.startswith(" ") and len(record) > len(header):
                cells[-1] += "," + cell
            else:
                cells.append(cell)
        if len(cells) != len(header):
            raise ValueError(f"{file}: a row of {len(cells)} cells under {len(header)} headings: {record}")
        rows.append([value(cell) for cell in cells])
    return rows


def load(connection, folder):
    cursor = connection.cursor()
    for statement in SCHEMA:
        cursor.execute(statement)
    loaded = {}
    for table, file in FILES.items():
        if table != KEYLESS:
            cursor.execute(f"ALTER TABLE {table} ENABLE CHANGE_TRACKING")
        rows = rows_of(pathlib.Path(folder) / file)
        for start in range(0, len(rows), ROWS_PER_INSERT):
            part = rows[start : start + ROWS_PER_INSERT]
            marks = ",".join("(" + ",".join(["%s"] * len(row)) + ")" for row in part)
            cursor.execute(f"INSERT INTO {table} VALUES {marks}", tuple(cell for row in part for cell in row))
        loaded[table] = len(rows)
    return loaded


class Changes:
    """Random transactions over both data sets."""

    def __init__(self, connection, seed, writer):
        self.connection = connection
        self.random = random.Random(seed)
        self.cursor = connection.cursor()
        self.counts = {"insert": 0, "update": 0, "key update": 0, "delete": 0, "rolled back": 0, "deadlock victim": 0}
        self.orders = [row[0] for row in self.rows("SELECT [Order ID] FROM logistics.OrderList ORDER BY [Order ID]")]
        self.sales = [row[0] for row in self.rows("SELECT orderID FROM northwind.Orders ORDER BY orderID")]
        self.next_order = Decimal("1500000000.5") + writer * 10_000_000
        self.next_sale = 20_000 + writer * 100_000

    def rows(self, query):
        self.cursor.execute(query)
        return self.cursor.fetchall()

    def run(self, kind, statement, parameters=()):
        self.cursor.execute(statement, parameters)
        self.counts[kind] += self.cursor.rowcount

    def some(self, keys, most):
        return self.random.sample(keys, min(len(keys), self.random.randint(1, most)))

    def list_of(self, keys):
        return ",".join(str(key) for key in keys)

    def new_orders(self):
        for _ in range(self.random.randint(1, 12)):
            key = self.next_order
            self.next_order += 1
            day = f"2013-0{self.random.randint(5, 6)}-{self.random.randint(1, 28):02}T0{self.random.randint(0, 9)}:15:30.{self.random.randint(0, 999):03}"
            plant = self.random.choice(["PLANT03", "plant03 ", "PLANT12", "PLANT16", "Plant08"])
            self.run(
                "insert",
                "INSERT INTO logistics.OrderList VALUES (%s, %s, 'PORT09', 'V44_3', 1, 'CRF', 3, 0, 'V55555_53', 1700106, %s, 'PORT09', %s, %s)",
                (key, day, plant, self.random.randint(1, 90000), self.random.random() * 1000),
            )
            self.orders.append(key)

    def change_orders(self):
        keys = self.list_of(self.some(self.orders, 60))
        self.run("update", f"UPDATE logistics.OrderList SET [Unit quantity] = [Unit quantity] + 7, [Weight] = [Weight] * 1.01 WHERE [Order ID] IN ({keys})")

    def move_orders(self):
        for old in self.some(self.orders, 6):
            new = self.next_order
            self.next_order += 1
            self.run("key update", "UPDATE logistics.OrderList SET [Order ID] = %s WHERE [Order ID] = %s", (new, old))
            self.orders[self.orders.index(old)] = new

    def drop_orders(self):
        keys = self.some(self.orders, 20)
        self.run("delete", f"DELETE FROM logistics.OrderList WHERE [Order ID] IN ({self.list_of(keys)})")
        self.orders = [key for key in self.orders if key not in set(keys)]

    def respell_plants(self):
        plant = self.random.randint(1, 19)
        spelling = self.random.choice([f"plant{plant:02}", f"PLANT{plant:02}", f"Plant{plant:02}"])
        self.run("key update", "UPDATE logistics.WhCapacities SET [Plant ID] = %s, [Daily Capacity] = [Daily Capacity] + 1 WHERE [Plant ID] = %s", (spelling, f"PLANT{plant:02}"))
        self.run("key update", "UPDATE logistics.ProductsPerPlant SET [Plant Code] = %s WHERE [Plant Code] = %s", (spelling, f"PLANT{plant:02}"))

    def new_sales(self):
        for _ in range(self.random.randint(1, 8)):
            sale = self.next_sale
            self.next_sale += 1
            self.run(
                "insert",
                "INSERT INTO northwind.Orders (orderID, customerID, employeeID, orderDate, shipName, freight) VALUES (%s, %s, 1, %s, %s, 12.3456)",
                (sale, self.random.choice(["alfki", "ANATR", "Bolid"]), f"1998-05-{self.random.randint(1, 28):02}", "Peña & Søn 日本 😀"),
            )
            for product in self.random.sample(range(1, 78), self.random.randint(1, 5)):
                self.run("insert", "INSERT INTO northwind.[Order Details] VALUES (%s, %s, %s, %s, 0.05)", (sale, product, self.random.randint(1, 90000) / 100, self.random.randint(1, 99)))
            self.sales.append(sale)

    def change_sales(self):
        keys = self.list_of(self.some(self.sales, 25))
        self.run("update", f"UPDATE northwind.Orders SET shippedDate = DATEADD(day, 1, orderDate), shipRegion = NULL WHERE orderID IN ({keys})")
        self.run("update", f"UPDATE northwind.[Order Details] SET quantity = quantity + 1 WHERE orderID IN ({keys})")

    def move_sales(self):
        """The day of an order moves, and a line goes to another order."""
        keys = self.some(self.sales, 8)
        self.run("update", f"UPDATE northwind.Orders SET orderDate = DATEADD(day, {self.random.randint(-40, 40)}, orderDate) WHERE orderID IN ({self.list_of(keys)})")
        sale = self.next_sale
        self.next_sale += 1
        self.run("key update", f"UPDATE northwind.Orders SET orderID = {sale} WHERE orderID = {keys[0]}")
        self.run("key update", f"UPDATE northwind.[Order Details] SET orderID = {sale} WHERE orderID = {keys[0]}")
        self.sales[self.sales.index(keys[0])] = sale

    def drop_sales(self):
        keys = self.some(self.sales, 5)
        self.run("delete", f"DELETE FROM northwind.[Order Details] WHERE orderID IN ({self.list_of(keys)})")
        self.run("delete", f"DELETE FROM northwind.Orders WHERE orderID IN ({self.list_of(keys)})")
        self.sales = [key for key in self.sales if key not in set(keys)]

    def people(self):
        self.run("update", "UPDATE northwind.Employees SET notes = %s, photo = %s, reportsTo = NULL WHERE employeeID = %s", ("Ñandú — Größe " * self.random.randint(1, 300), self.random.randbytes(self.random.randint(0, 5000)), self.random.randint(1, 9)))

    def transaction(self):
        steps = [self.new_orders, self.change_orders, self.move_orders, self.drop_orders, self.respell_plants, self.new_sales, self.change_sales, self.move_sales, self.drop_sales, self.people]
        before = list(self.orders), list(self.sales), dict(self.counts)
        try:
            for step in self.random.sample(steps, self.random.randint(1, 3)):
                step()
            undone = "rolled back" if self.random.random() < 0.1 else None
        except pymssql.OperationalError as error:
            if error.args[0] != DEADLOCK_VICTIM:
                raise
            undone = "deadlock victim"
        if undone is None:
            self.connection.commit()
            return
        self.connection.rollback()
        self.orders, self.sales, self.counts = before
        self.counts[undone] += 1


def main():
    port, password, command, *rest = sys.argv[1:]
    connection = pymssql.connect(server="127.0.0.1", port=port, user="sa", password=password, database="wms", autocommit=command == "load", charset="UTF-8")
    if command == "load":
        print(json.dumps(load(connection, rest[0])))
        return
    seed, writer, transactions = map(int, rest)
    changes = Changes(connection, seed, writer)
    for _ in range(transactions):
        changes.transaction()
    print(json.dumps(changes.counts))


if __name__ == "__main__":
    main()
