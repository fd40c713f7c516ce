//! Rows into images: windows, chunks, and the rows of given keys.

use super::connection::{Answer, Connection};
use super::decode;
use super::error::SourceError;
use super::key;
use super::layout::CapturedTable;
use super::sql;
use proto::{ColumnType, Image, Key, Row, Value, Version};
use std::vec;
use tiberius::{ColumnData, Query};

/// A batch ends at whichever bound it reaches first.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 256 * 1024;

/// Keys per statement: enough to be worth a round trip, few enough for a short plan.
const KEYS_PER_STATEMENT: usize = 200;
/// The server takes 2,100 parameters; some are kept free.
const MAX_PARAMETERS: usize = 2_000;

/// The images of a window, batch by batch.
pub struct ImageReader<'a> {
    answer: Answer<'a>,
    table: &'a CapturedTable,
}

/// A step of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// In key order.
    pub images: Vec<Image>,
    /// Where the scan goes on; None if nothing was read.
    pub resume: Option<String>,
    /// Whether nothing is left beyond it.
    pub finished: bool,
}

impl ImageReader<'_> {
    /// The next images, None at the end. Nothing that was read holds before the end was reached.
    ///
    /// # Errors
    /// Those of the line and of the server, and [`SourceError::UnexpectedValue`].
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Image>>, SourceError> {
        let mut images = Vec::new();
        let mut bytes = 0;
        while images.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let Some(row) = self.answer.next().await? else { break };
            let mut cells = Cells::new(self.table, row, &mut self.answer);
            let image = cells.changed()?;
            bytes += image.size();
            images.push(image);
        }
        Ok((!images.is_empty()).then_some(images))
    }
}

impl Connection {
    /// The current images of all keys that changed after a version.
    ///
    /// # Errors
    /// Those of the line and of the server, such as 3952 if snapshots are not allowed.
    pub async fn window<'a>(
        &'a mut self,
        table: &'a CapturedTable,
        since: Version,
    ) -> Result<ImageReader<'a>, SourceError> {
        #[cfg(not(feature = "test-switches"))]
        let text = sql::window(table);
        #[cfg(feature = "test-switches")]
        let text = sql::window(table) + &self.upper.map(sql::upper_filter).unwrap_or_default();
        let mut query = Query::new(text);
        query.bind(since.0);
        let doing = format!("reading the changes of {}", table.layout.source);
        Ok(ImageReader { answer: self.open(doing, query).await?, table })
    }

    /// The next rows of a table in the server's key order, after a resume point.
    ///
    /// # Errors
    /// Those of [`window`](Self::window), [`SourceError::InexactKey`], [`SourceError::BadResume`].
    pub async fn chunk(
        &mut self,
        table: &CapturedTable,
        resume: Option<&str>,
        rows: u64,
    ) -> Result<Chunk, SourceError> {
        let mut query = Query::new(sql::chunk(table, resume.is_some(), rows));
        bind_resume(&mut query, table, resume)?;
        let doing = format!("reading a chunk of {}", table.layout.source);
        let mut answer = self.open(doing, query).await?;
        let mut scan = Scan::new(table, rows);
        while let Some(row) = answer.next().await? {
            let row = Cells::new(table, row, &mut answer).row()?;
            let key = key_of(table, &row);
            scan.add(Image::Present(row), key);
        }
        scan.chunk()
    }

    /// The next images of the keys that changed after `base`, in the server's key order, after a resume point.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk).
    pub async fn changed_chunk(
        &mut self,
        table: &CapturedTable,
        base: Version,
        resume: Option<&str>,
        rows: u64,
    ) -> Result<Chunk, SourceError> {
        let mut query = Query::new(sql::changed_chunk(table, resume.is_some(), rows));
        query.bind(base.0);
        bind_resume(&mut query, table, resume)?;
        let doing = format!("reading a chunk of the changes of {}", table.layout.source);
        let mut answer = self.open(doing, query).await?;
        let mut scan = Scan::new(table, rows);
        while let Some(row) = answer.next().await? {
            let mut cells = Cells::new(table, row, &mut answer);
            let present = cells.present()?;
            let key = cells.key()?;
            let image = if present { Image::Present(cells.row()?) } else { Image::Absent(key.clone()) };
            scan.add(image, key);
        }
        scan.chunk()
    }

    /// The rows of given keys, or their absence, in the order of the keys.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk).
    pub async fn by_keys(&mut self, table: &CapturedTable, keys: &[Key]) -> Result<Vec<Image>, SourceError> {
        let per_statement = (MAX_PARAMETERS / table.key.len().max(1)).clamp(1, KEYS_PER_STATEMENT);
        let mut images = Vec::with_capacity(keys.len());
        for keys in keys.chunks(per_statement) {
            images.extend(self.rows_of(table, keys).await?);
        }
        Ok(images)
    }

    async fn rows_of(&mut self, table: &CapturedTable, keys: &[Key]) -> Result<Vec<Image>, SourceError> {
        let mut query = Query::new(sql::by_keys(table, keys.len()));
        for key in keys {
            query.bind_iter(texts(table, key)?);
        }
        let doing = format!("reading rows of {} by their keys", table.layout.source);
        let mut answer = self.open(doing, query).await?;
        let mut images: Vec<Option<Image>> = keys.iter().map(|_| None).collect();
        while let Some(row) = answer.next().await? {
            let mut cells = Cells::new(table, row, &mut answer);
            let ordinal = cells.integer()?;
            let present = cells.present()?;
            let place = usize::try_from(ordinal).ok().filter(|place| *place < keys.len());
            let Some(place) = place else { return Err(unanswered(cells.doing)) };
            let image =
                if present { Image::Present(cells.row()?) } else { Image::Absent(keys[place].clone()) };
            images[place] = Some(image);
        }
        let complete: Option<Vec<_>> = images.into_iter().collect();
        complete.ok_or_else(|| unanswered(&answer.doing))
    }
}

fn unanswered(doing: &str) -> SourceError {
    SourceError::Unreadable {
        doing: doing.to_owned(),
        reason: "a key was not answered exactly once".to_owned(),
    }
}

fn key_of(table: &CapturedTable, row: &Row) -> Key {
    Key(table.layout.key.iter().map(|&position| row.0[position].clone()).collect())
}

fn texts(table: &CapturedTable, key: &Key) -> Result<Vec<String>, SourceError> {
    key::texts(key, &table.key).ok_or_else(|| SourceError::InexactKey {
        table: table.layout.source.to_string(),
        column: table
            .layout
            .key_columns()
            .map(|column| column.source.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        reason: "it is not a key of this table",
    })
}

/// A resume point is the last key, as a JSON list of its columns' texts.
fn bind_resume(
    query: &mut Query<'_>,
    table: &CapturedTable,
    resume: Option<&str>,
) -> Result<(), SourceError> {
    let Some(resume) = resume else { return Ok(()) };
    let texts: Option<Vec<String>> = serde_json::from_str(resume).ok();
    let texts = texts.filter(|texts| texts.len() == table.key.len());
    let texts = texts.ok_or_else(|| SourceError::BadResume {
        table: table.layout.source.to_string(),
        resume: resume.to_owned(),
    })?;
    query.bind_iter(texts);
    Ok(())
}

/// A chunk while it is read.
struct Scan<'a> {
    table: &'a CapturedTable,
    wanted: u64,
    images: Vec<Image>,
    last: Option<Key>,
}

impl<'a> Scan<'a> {
    fn new(table: &'a CapturedTable, wanted: u64) -> Self {
        Self { table, wanted, images: Vec::new(), last: None }
    }

    fn add(&mut self, image: Image, key: Key) {
        self.images.push(image);
        self.last = Some(key);
    }

    fn chunk(self) -> Result<Chunk, SourceError> {
        let texts = self.last.map(|key| texts(self.table, &key)).transpose()?;
        let finished = (self.images.len() as u64) < self.wanted;
        Ok(Chunk {
            images: self.images,
            resume: texts.map(|texts| serde_json::json!(texts).to_string()),
            finished,
        })
    }
}

/// The cells of one row, taken from left to right.
struct Cells<'a> {
    table: &'a CapturedTable,
    doing: &'a str,
    cells: vec::IntoIter<ColumnData<'static>>,
    nul_count: &'a mut u64,
}

impl<'a> Cells<'a> {
    fn new(table: &'a CapturedTable, row: tiberius::Row, answer: &'a mut Answer<'_>) -> Self {
        Self { table, doing: &answer.doing, cells: row.into_iter(), nul_count: answer.nul_count }
    }

    /// Presence, the key as the tracking has it, the row: the row decides, and its key is the one that counts.
    fn changed(&mut self) -> Result<Image, SourceError> {
        if self.present()? {
            self.cells.by_ref().take(self.table.key.len()).for_each(drop);
            return Ok(Image::Present(self.row()?));
        }
        Ok(Image::Absent(self.key()?))
    }

    fn integer(&mut self) -> Result<i32, SourceError> {
        match self.cells.next() {
            Some(ColumnData::I32(Some(value))) => Ok(value),
            other => {
                let found = other.as_ref().map_or_else(|| "nothing".to_owned(), decode::kind);
                let reason = format!("{found} instead of an integer");
                Err(SourceError::Unreadable { doing: self.doing.to_owned(), reason })
            }
        }
    }

    fn present(&mut self) -> Result<bool, SourceError> {
        Ok(self.integer()? != 0)
    }

    fn key(&mut self) -> Result<Key, SourceError> {
        let table = self.table;
        self.values(table.layout.key.iter().copied()).map(Key)
    }

    fn row(&mut self) -> Result<Row, SourceError> {
        self.values(0..self.table.layout.columns.len()).map(Row)
    }

    /// The next cells as values of these columns.
    fn values(&mut self, positions: impl ExactSizeIterator<Item = usize>) -> Result<Vec<Value>, SourceError> {
        let mut values = Vec::with_capacity(positions.len());
        for position in positions {
            values.push(self.value(position)?);
        }
        Ok(values)
    }

    fn value(&mut self, position: usize) -> Result<Value, SourceError> {
        let column = &self.table.layout.columns[position];
        let unexpected = |found: String| SourceError::UnexpectedValue {
            table: self.table.layout.source.to_string(),
            column: column.source.clone(),
            expected: column.column_type,
            found,
        };
        let cell = self.cells.next().ok_or_else(|| unexpected("nothing".to_owned()))?;
        let nul_count = *self.nul_count;
        let value = decode::value(cell, column.column_type, self.nul_count)
            .map_err(|mismatch| unexpected(mismatch.found))?;
        if column.column_type == ColumnType::Text && self.table.layout.key.contains(&position) {
            self.check_key_text(&value, position, *self.nul_count != nul_count)?;
        }
        Ok(value)
    }

    /// A key is sent back to the server, so what was replaced in it would miss its row.
    fn check_key_text(&self, value: &Value, position: usize, had_nul: bool) -> Result<(), SourceError> {
        let broken = matches!(value, Value::Text(text) if text.contains(char::REPLACEMENT_CHARACTER));
        let reason = match (had_nul, broken) {
            (true, _) => "it contains the character U+0000",
            (_, true) => "it is not valid UTF-16, or contains the character U+FFFD",
            _ => return Ok(()),
        };
        Err(SourceError::InexactKey {
            table: self.table.layout.source.to_string(),
            column: self.table.layout.columns[position].source.clone(),
            reason,
        })
    }
}
