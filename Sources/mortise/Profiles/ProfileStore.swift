import Glibc
import JSON

/// The file of a user's profiles.
///
/// It holds credentials, so only its owner may read it. A file that others can read is refused.
struct ProfileStore: Sendable {
    /// The path of the file.
    let path: String

    private static let maximumBytes = 1 << 20

    /// The file of the XDG base directory specification: `mortise/profiles.json` in `XDG_CONFIG_HOME`, or in
    /// `~/.config`.
    ///
    /// `nil` if neither variable is set.
    static var standard: ProfileStore? {
        let folder = Environment.value("XDG_CONFIG_HOME") ?? Environment.value("HOME").map { "\($0)/.config" }
        return folder.map { ProfileStore(path: "\($0)/mortise/profiles.json") }
    }

    /// Returns the file.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the environment names no folder for it.
    static func find() throws(CommandFailure) -> ProfileStore {
        guard let standard else {
            throw .usage("There is no place for profiles.", details: ["Set HOME or XDG_CONFIG_HOME."])
        }
        return standard
    }

    /// Reads the profiles, none if the file does not exist.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if others can read the file, or if it cannot be read or is malformed.
    func load() throws(CommandFailure) -> Profiles {
        guard access(path, F_OK) == 0 else { return Profiles() }
        guard !FileAccess.isOpenToOthers(path) else {
            throw .usage(
                "Other users can read the profiles file \(path), which holds credentials. Nothing was sent.",
                details: ["Run chmod 600 \(path). If others may have read it, run `mortise logout` and log in again."]
            )
        }
        let bytes: [UInt8]
        do throws(FileAccess.Fault) {
            bytes = try FileAccess.readNow(path, limit: Self.maximumBytes)
        } catch {
            throw .usage("The profiles file \(path) cannot be read: \(error.reason).")
        }
        let limits = JSONLimits(maximumBytes: Self.maximumBytes)
        guard let json = try? JSONValue(parsing: bytes, limits: limits), let profiles = Profiles(json) else {
            throw .usage(
                "The profiles file \(path) is malformed.",
                details: ["Remove it, and log in again with `mortise login`."]
            )
        }
        return profiles
    }

    /// Changes the profiles while no other command changes them.
    ///
    /// - Parameter body: Changes the profiles. It can ask the server meanwhile.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`, after which nothing is written. `CommandFailure` if the file cannot be written.
    func change<Value: Sendable>(
        _ body: @Sendable (inout Profiles) async throws -> Value
    ) async throws -> Value {
        let lock = try await Blocking.run { try self.lock() }
        defer { close(lock) }
        var profiles = try load()
        let value = try await body(&profiles)
        try write(profiles)
        return value
    }

    /// Waits for the lock, which ends with its descriptor.
    private func lock() throws(CommandFailure) -> CInt {
        try makeFolders()
        let descriptor = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                defer { close(descriptor) }
                throw failure()
            }
        }
        return descriptor
    }

    private func makeFolders() throws(CommandFailure) {
        var folder = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/").dropLast() {
            folder += "/\(name)"
            if mkdir(folder, 0o700) != 0, errno != EEXIST, access(folder, F_OK) != 0 { throw failure() }
        }
    }

    /// Replaces the file.
    ///
    /// A reader sees the old or the new content.
    private func write(_ profiles: Profiles) throws(CommandFailure) {
        let draft = "\(path).\(getpid())"
        unlink(draft)
        try SecretFile(creating: draft).finish(profiles.text)
        guard rename(draft, path) == 0 else {
            let fault = failure()
            unlink(draft)
            throw fault
        }
    }

    private func failure() -> CommandFailure {
        CommandFailure(.output, "The profiles file \(path) cannot be written: \(String(cString: strerror(errno))).")
    }
}
