//! What the system says of a process, from `/proc`.

use std::fs;

use crate::Failure;

/// CPU time so far in seconds, user and system; in ticks of 10 ms.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(')').next().ok_or("no process name in /proc/PID/stat")?;
    // utime and stime are fields 14 and 15 of the line, 12 and 13 behind the name.
    let ticks: Vec<u64> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}

/// Resident memory in bytes: now and at its highest.
pub(crate) fn resident(process: u32) -> Result<(u64, u64), Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kibibytes = |name: &str| -> Result<u64, Failure> {
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<u64>()?)
    };
    Ok((kibibytes("VmRSS:")? * 1024, kibibytes("VmHWM:")? * 1024))
}
