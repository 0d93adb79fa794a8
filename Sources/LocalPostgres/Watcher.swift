/// The process that stops a server without users.
///
/// The watcher waits for an exclusive lock on the file that every user holds shared. The kernel grants the lock when the last
/// user has ended, also after a signal. `PR_SET_PDEATHSIG` does not suffice: it watches one parent, and its thread instead
/// of its process.
struct Watcher: Sendable {
    let folder: ServerFolder
    let stopping: ServerStop

    /// True if the folder is removed after the server has stopped.
    let removesFolder: Bool

    /// Starts the watcher.
    ///
    /// If one runs already, the new one ends at once.
    ///
    /// On return, the watcher has its lock and has opened the file of the users. It cannot be late, and cannot create the
    /// files again after their removal.
    func launch(timeout: Duration) async throws {
        _ = try FileLock(path: folder.watcherLock)
        // Each step becomes the next one by exec. The one process keeps descriptor 8, and with it the lock.
        let launch = #"""
            exec 8<watcher.lock 9<users.lock </dev/null >/dev/null 2>&1
            flock --nonblock 8 || exit 0
            exec setsid --fork flock --no-fork --exclusive /proc/self/fd/9 "$@"
            """#
        let stop = #""$@""#
        // A stop removes the folder before it releases the lock, and a later start may have created another one with this path. The watcher
        // works in its own folder, and that keeps its number (dev and inode) also without a name.
        let remove = #"test . -ef "$0" && cd / && rm -rf -- "$0""#
        let script = removesFolder ? "\(stop)\n\(remove)" : stop
        let watched = ["sh", "-c", script, folder.path] + stopping.carefulArguments(removesFolder ? .immediate : .fast)
        try await ServerCommand(arguments: ["sh", "-c", launch, "sh"] + watched, folder: folder.path)
            .check(timeout: timeout)
    }
}
