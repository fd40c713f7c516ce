//! What a person does about an error: one sentence, in both languages.

use crate::cli::Language;

/// One sentence in Spanish and English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// Spanish.
    pub es: &'static str,
    /// English.
    pub en: &'static str,
}

impl Remedy {
    /// The sentence in a language.
    pub fn text(self, language: Language) -> &'static str {
        language.choose(self.es, self.en)
    }
}

const fn remedy(en: &'static str, es: &'static str) -> Remedy {
    Remedy { es, en }
}

pub(super) const CORRECT_CONFIGURATION: Remedy =
    remedy("Correct the configuration and start again.", "Corrija la configuración y vuelva a arrancar.");
pub(super) const RUN_STATEMENTS: Remedy = remedy(
    "Let an administrator of the source run the statements; `cdc-agent check` shows what is left.",
    "Que un administrador del origen ejecute las instrucciones; `cdc-agent check` muestra lo que falta.",
);
pub(super) const CUT_TAKEN_AGAIN: Remedy = remedy(
    "Nothing: the cut is taken again and the table is loaded.",
    "Nada: el corte se toma de nuevo y la tabla se carga.",
);
pub(super) const FREE_JOURNAL_DISK: Remedy = remedy(
    "Free space on the disk under [journal] folder.",
    "Libere espacio en el disco de [journal] folder.",
);
pub(super) const NEW_HISTORY: Remedy = remedy(
    "Nothing while the agent runs: every table is loaded again, in a new history.",
    "Nada mientras el agente funcione: todas las tablas se cargan de nuevo, en una historia nueva.",
);
pub(super) const STOP_OTHER_AGENT: Remedy = remedy("Stop the other agent.", "Detenga el otro agente.");
pub(super) const RAISE_THREADS: Remedy =
    remedy("Raise the limit of threads for this user.", "Aumente el límite de hilos de este usuario.");
pub(super) const FREE_ADDRESS: Remedy = remedy(
    "Choose another [listen] address, or stop the program that uses it.",
    "Elija otra dirección en [listen], o detenga el programa que la usa.",
);
pub(super) const REACH_SOURCE: Remedy = remedy(
    "Check [source] host and port, that SQL Server listens there and that no firewall is in between.",
    "Revise host y port de [source], que SQL Server escuche ahí y que no haya un cortafuegos en medio.",
);
pub(super) const TRUST_SOURCE: Remedy = remedy(
    "Name the authority of the server's certificate in [source] ca_file, and the host as the certificate names it.",
    "Indique en [source] ca_file la autoridad del certificado del servidor, y el host tal como lo nombra el certificado.",
);
pub(super) const SOURCE_NETWORK: Remedy = remedy(
    "Nothing if it passes; else check the network to SQL Server and its load.",
    "Nada si se le pasa; si no, revise la red hacia SQL Server y su carga.",
);
pub(super) const REPORT_IF_IT_STAYS: Remedy = remedy(
    "Nothing if it passes; else report it with the agent's log.",
    "Nada si se le pasa; si no, infórmelo con el registro del agente.",
);
pub(super) const RUN_CHECK: Remedy = remedy(
    "Run `cdc-agent check`: it prints the statement that mends it.",
    "Ejecute `cdc-agent check`: imprime la instrucción que lo arregla.",
);
pub(super) const CORRECT_TABLE: Remedy = remedy(
    "Correct the [[table]] section; `cdc-agent check` names what is possible.",
    "Corrija la sección [[table]]; `cdc-agent check` dice lo que es posible.",
);
pub(super) const START_AGAIN_OR_EXCLUDE: Remedy = remedy(
    "Start the agent again after the table's columns have changed; else exclude the column.",
    "Arranque de nuevo el agente si cambiaron las columnas de la tabla; si no, excluya la columna.",
);
pub(super) const RESYNC: Remedy = remedy(
    "Run `cdc-agent resync --table` for this table.",
    "Ejecute `cdc-agent resync --table` para esta tabla.",
);
pub(super) const TRIED_AGAIN: Remedy = remedy("Nothing: it is tried again.", "Nada: se intenta de nuevo.");
pub(super) const SOURCE_LOAD: Remedy = remedy(
    "Nothing if it passes; else look at SQL Server's load.",
    "Nada si se le pasa; si no, mire la carga de SQL Server.",
);
pub(super) const SOURCE_LOGIN: Remedy = remedy(
    "Check [source] user and its password, and that the login is enabled.",
    "Revise user de [source] y su contraseña, y que el inicio de sesión esté habilitado.",
);
pub(super) const SOURCE_DATABASE: Remedy = remedy(
    "Check [source] database, and that the login has a user in it: CREATE USER … FOR LOGIN ….",
    "Revise database de [source], y que el inicio de sesión tenga un usuario en ella: CREATE USER … FOR LOGIN ….",
);
pub(super) const GRANT_ON_SOURCE: Remedy = remedy(
    "Grant what is missing: GRANT SELECT, VIEW CHANGE TRACKING ON SCHEMA::… TO …; `cdc-agent check` prints it.",
    "Otorgue lo que falta: GRANT SELECT, VIEW CHANGE TRACKING ON SCHEMA::… TO …; `cdc-agent check` lo imprime.",
);
pub(super) const TABLE_GONE: Remedy = remedy(
    "The table or its Change Tracking is gone; `cdc-agent check` prints what mends it.",
    "La tabla o su Change Tracking ya no está; `cdc-agent check` imprime lo que lo arregla.",
);
pub(super) const ALLOW_SNAPSHOT: Remedy = remedy(
    "Run: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON.",
    "Ejecute: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON.",
);
pub(super) const SOURCE_ERROR_LOG: Remedy = remedy(
    "Nothing if it passes; else look at SQL Server's error log.",
    "Nada si se le pasa; si no, mire el registro de errores de SQL Server.",
);
pub(super) const SOURCE_DOCUMENTATION: Remedy = remedy(
    "Look the number up in SQL Server's documentation.",
    "Busque el número en la documentación de SQL Server.",
);
pub(super) const MIGRATE_AS_SAID: Remedy = remedy(
    "Do what the message says, then run `cdc-agent migrate`.",
    "Haga lo que dice el mensaje y ejecute `cdc-agent migrate`.",
);
pub(super) const STOP_OTHER_AGENT_OR_WAIT: Remedy = remedy(
    "Stop the other agent, or wait until its connection has ended.",
    "Detenga el otro agente, o espere a que termine su conexión.",
);
pub(super) const RIGHT_AGENT: Remedy = remedy(
    "Nothing if the other agent is the right one; else stop it and start this one.",
    "Nada si el otro agente es el correcto; si no, deténgalo y arranque este.",
);
pub(super) const JOURNAL_SET_ASIDE: Remedy = remedy(
    "Nothing while the agent runs: the journal is set aside and the source is read again.",
    "Nada mientras el agente funcione: el diario se aparta y el origen se lee de nuevo.",
);
pub(super) const CORRECT_METRICS: Remedy = remedy(
    "Correct the metrics file and start again.",
    "Corrija el archivo de métricas y vuelva a arrancar.",
);
pub(super) const CORRECT_NAMES: Remedy =
    remedy("Correct the names in the configuration.", "Corrija los nombres en la configuración.");
pub(super) const MIGRATE: Remedy = remedy("Run `cdc-agent migrate`.", "Ejecute `cdc-agent migrate`.");
pub(super) const CHANGE_A_KEY: Remedy = remedy(
    "Change one of the two keys at the source, or exclude the table; report the two spellings.",
    "Cambie una de las dos claves en el origen, o excluya la tabla; informe las dos escrituras.",
);
pub(super) const AS_SAID: Remedy = remedy(
    "Do what the message says; the agent then goes on by itself.",
    "Haga lo que dice el mensaje; el agente sigue después por sí mismo.",
);
pub(super) const REACH_TARGET: Remedy = remedy(
    "Check [target] host and port, that PostgreSQL listens there, and its certificate.",
    "Revise host y port de [target], que PostgreSQL escuche ahí, y su certificado.",
);
pub(super) const NAME_PRIMARY: Remedy = remedy(
    "Nothing after a failover; else name the primary in [target] host.",
    "Nada después de una conmutación; si no, indique el servidor primario en host de [target].",
);
pub(super) const MORE_CONNECTIONS: Remedy = remedy(
    "Nothing if it passes; else raise max_connections.",
    "Nada si se le pasa; si no, aumente max_connections.",
);
pub(super) const TARGET_LOG: Remedy = remedy(
    "Nothing if it passes; else look at PostgreSQL's log.",
    "Nada si se le pasa; si no, mire el registro de PostgreSQL.",
);
pub(super) const TARGET_RESOURCES: Remedy = remedy(
    "Give PostgreSQL more disk or memory; changes wait in the journal.",
    "Dé a PostgreSQL más disco o memoria; los cambios esperan en el diario.",
);
pub(super) const TARGET_LOGIN: Remedy = remedy(
    "Check [target] user and its password, and pg_hba.conf.",
    "Revise user de [target] y su contraseña, y pg_hba.conf.",
);
pub(super) const TARGET_DATABASE: Remedy = remedy(
    "Create the database, or correct [target] database.",
    "Cree la base de datos, o corrija database de [target].",
);
pub(super) const GRANT_ON_TARGET: Remedy = remedy(
    "Give the agent's role what is missing; the README shows the roles.",
    "Dé al rol del agente lo que le falta; el README muestra los roles.",
);
pub(super) const FOREIGN_SCHEMA: Remedy = remedy(
    "The schema is not what the agent made: run `cdc-agent migrate`, then start again.",
    "El esquema no es el que hizo el agente: ejecute `cdc-agent migrate` y vuelva a arrancar.",
);
pub(super) const REPORT_DAMAGE: Remedy = remedy(
    "Report it with the agent's log; PostgreSQL's data may be damaged.",
    "Infórmelo con el registro del agente; los datos de PostgreSQL pueden estar dañados.",
);
pub(super) const ROW_PUT_ASIDE: Remedy =
    remedy("Nothing: the row is put into quarantine.", "Nada: la fila pasa a cuarentena.");
pub(super) const TARGET_DOCUMENTATION: Remedy = remedy(
    "Look the code up in PostgreSQL's documentation; the agent goes on when it is mended.",
    "Busque el código en la documentación de PostgreSQL; el agente sigue cuando se arregle.",
);
pub(super) const FREE_JOURNAL: Remedy = remedy(
    "Stop the other agent that uses this [journal] folder.",
    "Detenga el otro agente que usa esta [journal] folder.",
);
pub(super) const LATER_VERSION: Remedy = remedy(
    "Use the later version of cdc-agent, or move the folder away: the source is then read again.",
    "Use la versión más nueva de cdc-agent, o aparte la carpeta: el origen se lee entonces de nuevo.",
);
pub(super) const JOURNAL_DISK: Remedy = remedy(
    "Check the disk under [journal] folder and its permissions, then start again: nothing is lost.",
    "Revise el disco de [journal] folder y sus permisos, y vuelva a arrancar: nada se pierde.",
);
pub(super) const REPORT: Remedy =
    remedy("Report it with the agent's log.", "Infórmelo con el registro del agente.");
