import Glibc
import Postgres

/// A file system of some megabytes, which a test can fill.
public struct SmallDisk: Sendable {
    /// The folder of the file system.
    public let folder: String

    /// True if this process may mount a file system, as root may outside of many containers.
    public static let isAvailable: Bool = {
        var template = Array("/tmp/mortise-disk-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return false }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { rmdir(path) }
        guard SmallDisk.mount(path, megabytes: 1) else { return false }
        SmallDisk.unmount(path)
        return true
    }()

    /// Runs the body with a new file system.
    ///
    /// Whatever uses it must have ended when the body ends.
    public static func with<Value>(megabytes: Int, _ body: (SmallDisk) async throws -> Value) async throws -> Value {
        try await TemporaryFolder.with { folder in
            let path = "\(folder)/disk"
            // The PostgreSQL server runs as another user.
            guard chmod(folder, 0o755) == 0, mkdir(path, 0o700) == 0, Self.mount(path, megabytes: megabytes) else {
                throw TemporaryFolder.POSIXFailure(code: errno)
            }
            defer { Self.unmount(path) }
            return try await body(SmallDisk(folder: path))
        }
    }

    /// Fills the file system to the last byte.
    public func fill() throws {
        guard let file = fopen(ballast, "w") else { throw TemporaryFolder.POSIXFailure(code: errno) }
        setvbuf(file, nil, _IONBF, 0)
        for size in [1 << 20, 4096] {
            let zeros = [UInt8](repeating: 0, count: size)
            while fwrite(zeros, 1, size, file) == size {}
        }
        fclose(file)
    }

    /// Frees what ``fill()`` has taken.
    public func empty() { unlink(ballast) }

    private var ballast: String { "\(folder)/ballast" }

    private static func mount(_ path: String, megabytes: Int) -> Bool {
        Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m,mode=0700") == 0
    }

    private static func unmount(_ path: String) {
        // MNT_DETACH, which Swift does not import: a process that ends a moment later is no reason to fail.
        umount2(path, 2)
    }
}

extension TestServer {
    /// Makes a file system the place of all databases that are created from now on.
    public func placeDatabases(on disk: SmallDisk) async throws {
        try await PostgresConnection.with(
            configuration(),
            reactor: try TestReactor.shared,
            logger: TestServer.silent
        ) { connection in
            let rows = try await connection.query(Statement("SHOW data_directory", prepared: false))
            let folder = try rows[0].decode(0, as: String.self)
            var data = stat()
            guard stat(folder, &data) == 0,
                chown(disk.folder, data.st_uid, data.st_gid) == 0
            else { throw TemporaryFolder.POSIXFailure(code: errno) }
            let location = PostgresConnection.quote(literal: disk.folder)
            try await connection.script("CREATE TABLESPACE small LOCATION \(location)")
            for template in ["template0", "template1"] {
                try await connection.script("ALTER DATABASE \(template) SET TABLESPACE small")
            }
        }
    }
}
