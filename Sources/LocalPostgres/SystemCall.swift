import CLinux
import Glibc

/// The system calls that have no equivalent in Foundation.
package enum SystemCall {
    /// Returns the system's text for an error number.
    static func message(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }

    /// Creates a folder unless it exists.
    static func makeFolder(_ path: String, mode: mode_t) throws {
        if mkdir(path, mode) == 0 {
            // mkdir subtracts the umask, which is not known here.
            try changeMode(path, mode)
        } else if errno != EEXIST {
            throw LocalPostgresError.systemCall("create the folder \(path)", errno)
        }
    }

    /// Changes the mode of a path.
    package static func changeMode(_ path: String, _ mode: UInt32) throws {
        guard chmod(path, mode) == 0 else { throw LocalPostgresError.systemCall("set the mode of \(path)", errno) }
    }

    /// Creates a folder with mode 0700 and a random suffix.
    ///
    /// - Parameter prefix: The path of the folder without the suffix.
    /// - Returns: The path of the folder.
    /// - Throws: ``LocalPostgresError`` (`unusableFolder`).
    package static func makeUniqueFolder(prefix: String) throws -> String {
        var template = Array((prefix + "XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw LocalPostgresError.systemCall("create a folder named \(prefix)…", errno)
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Returns a path without links, `.` and `..`.
    ///
    /// Returns `nil` if it does not exist or cannot be reached.
    package static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Returns the folder that a process works in, without links.
    ///
    /// Root may not see it without CAP_SYS_PTRACE, which containers lack by default, but the account of the process may (proc(5), ptrace(2)). So
    /// root looks with that account's rights. setfsuid(2) and setfsgid(2) change those of this thread alone.
    ///
    /// Returns `nil` if there is no such process, or if this process may not see its folder.
    static func workingFolder(of process: pid_t) -> String? {
        let link = "/proc/\(process)/cwd"
        if let folder = resolve(link) { return folder }
        guard geteuid() == 0, let owner = status("/proc/\(process)") else { return nil }
        let group = setfsgid(owner.st_gid)
        let user = setfsuid(owner.st_uid)
        defer {
            _ = setfsuid(UInt32(bitPattern: user))
            _ = setfsgid(UInt32(bitPattern: group))
        }
        return resolve(link)
    }

    /// Returns the status of a path, without following a link at its end.
    ///
    /// Returns `nil` if it does not exist.
    static func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    /// Writes the entries of a folder to disk, so that a rename survives a power failure.
    package static func synchronizeFolder(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LocalPostgresError.systemCall("open the folder \(path)", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw LocalPostgresError.systemCall("synchronize the folder \(path)", errno)
        }
    }
}
