import Crypto
import FoundationEssentials
import Glibc
import JSON
import Keys
import NIOPosix

/// The folder of a backup: a file for each database, and the manifest.
///
/// A file has its own name only when it is complete.
struct BackupFolder: Sendable {
    let path: String

    static let manifestName = "manifest.json"
    /// The inventory of a backup that is not complete yet.
    static let startName = "start.json"

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func exists(_ name: String) -> Bool { access(file(name), F_OK) == 0 }

    /// Throws if the folder has files that no backup has left, so that a backup is not mixed with anything else.
    func checkContents() throws {
        if exists(Self.manifestName) || exists(Self.startName) { return }
        // An interrupted first step leaves the first three. A file system of its own has the last one.
        let own: Set<String> = [".lock", "workspaces", "control.dump", "lost+found"]
        func isPart(_ name: String) -> Bool { name.hasSuffix(".part") }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let inside = (try? FileManager.default.contentsOfDirectory(atPath: file("workspaces"))) ?? []
        let foreign =
            names.filter { !own.contains($0) && !isPart($0) } + inside.filter { !isPart($0) }.map { "workspaces/\($0)" }
        guard let first = foreign.min() else { return }
        throw BackupError(
            "The folder \(path) has files that belong to no backup, such as \(first). Nothing was changed.",
            advice: ["Name a new or an empty folder."]
        )
    }

    /// Creates the folder, which only its owner can enter.
    func create() throws {
        for folder in [path, file("workspaces")] {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw BackupError("The folder \(folder) cannot be created: \(Self.reason).")
            }
        }
    }

    /// Locks the folder, so that two programs do not write to it.
    ///
    /// - Returns: The descriptor of the lock, which ends with the process.
    func lock() throws -> CInt {
        let descriptor = open(file(".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupError("The folder \(path) cannot be written: \(Self.reason).") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw BackupError("Another program is making a backup in \(path).", advice: ["Wait for its end."])
        }
        return descriptor
    }

    /// Creates a new, empty file for a program to write to, which only its owner can read.
    func newPart(of name: String) throws -> String {
        let part = file("\(name).\(getpid()).\(UInt32.random(in: .min ... .max)).part")
        let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BackupError("\(part) cannot be created: \(Self.reason).") }
        close(descriptor)
        return part
    }

    /// Gives a complete file its name.
    func finish(_ part: String, as name: String) throws {
        guard rename(part, file(name)) == 0 else {
            throw BackupError("\(file(name)) cannot be written: \(Self.reason).")
        }
        try syncFolder(of: file(name))
    }

    /// Writes a small file in one step.
    func write(_ text: String, as name: String) throws {
        let part = try newPart(of: name)
        let descriptor = open(part, O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw BackupError("\(part) cannot be written: \(Self.reason).") }
            bytes = bytes.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw BackupError("\(part) cannot be written: \(Self.reason).") }
        try finish(part, as: name)
    }

    func read(_ name: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: file(name)) else {
            throw BackupError("\(file(name)) cannot be read: \(Self.reason).")
        }
        return Array(data)
    }

    func remove(_ name: String) {
        unlink(file(name))
    }

    /// Removes what an interrupted run left unfinished.
    func removeParts() {
        for folder in [path, file("workspaces")] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where name.hasSuffix(".part") {
                unlink("\(folder)/\(name)")
            }
        }
    }

    private func syncFolder(of path: String) throws {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw BackupError("\(folder) cannot be written: \(Self.reason).") }
    }

    /// The reason of the last failed system call.
    static var reason: String { String(cString: strerror(errno)) }

    /// Returns the size and the SHA-256 of a file.
    func checksum(_ name: String) async throws -> (bytes: Int64, checksum: String) {
        let path = file(name)
        return try await NIOThreadPool.singleton.runIfActive {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw BackupError("\(path) cannot be read: \(Self.reason).") }
            defer { close(descriptor) }
            var hash = SHA256()
            var total: Int64 = 0
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                guard count >= 0 else { throw BackupError("\(path) cannot be read: \(Self.reason).") }
                if count == 0 { return (total, Hex.encode(hash.finalize())) }
                buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                total += Int64(count)
            }
        }
    }
}
