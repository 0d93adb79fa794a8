/// The process that stops a server whose last user is gone.
///
/// It waits for an exclusive lock on the file that every user holds shared. The kernel grants that when the last user has let go or has
/// died, by whatever signal. `PR_SET_PDEATHSIG` would not do: it tells of one parent, and of the thread rather than the process.
struct Watcher: Sendable {
    let folder: ServerFolder
    let stopping: ServerStop

    /// Whether the folder is removed once the server has stopped.
    let removesFolder: Bool

    /// Starts the watcher; a second one beside a first ends at once.
    ///
    /// On return it has its lock and the file of the users open, so it can neither come late nor make the files again.
    func launch(timeout: Duration) async throws {
        _ = try FileLock(path: folder.watcherLock)
        // Each step becomes the next by exec, so there is one process, and it keeps descriptor 8 and thereby its lock.
        let launch = #"""
            exec 8<watcher.lock 9<users.lock </dev/null >/dev/null 2>&1
            flock --nonblock 8 || exit 0
            exec setsid --fork flock --no-fork --exclusive /proc/self/fd/9 "$@"
            """#
        // pg_ctl signals whatever has the number in the file; only a process that works in the data folder is the server.
        let stop = #"read -r server < data/postmaster.pid && test "/proc/$server/cwd" -ef data && "$@""#
        let remove = #"cd / && rm -rf -- "$0""#
        let script = removesFolder ? "\(stop)\n\(remove)" : stop
        let watched = ["sh", "-c", script, folder.path] + stopping.arguments(removesFolder ? .immediate : .fast)
        try await ServerCommand(arguments: ["sh", "-c", launch, "sh"] + watched, folder: folder.path)
            .check(timeout: timeout)
    }
}
