import FoundationEssentials
import Glibc
import LocalPostgres
import TestSupport
import Testing

@Suite(.hangLimit)
struct InstallationTests {
    @Test
    func `the programs are found without PATH`() throws {
        let found = try PostgresInstallation.find(environment: [:])
        #expect(exists("\(found.binaries)/initdb"))
    }

    @Test
    func `an error names a chosen folder that lacks the programs`() {
        let environment = ["MORTISE_POSTGRES_BIN": "/nonexistent", "PATH": "/usr/bin"]
        let error = #expect(throws: LocalPostgresError.self) { try PostgresInstallation.find(environment: environment) }
        #expect(error?.code == .notInstalled)
        #expect(error?.message.contains("/nonexistent") == true)
    }

    @Test(.enabled("only root runs the server as another user", { geteuid() == 0 }))
    func `an error names a folder that the server's user cannot enter`() async throws {
        try await withFolder { folder in
            try #require(chmod(folder, 0o700) == 0)
            try await withServer("\(folder)/server") { server in
                let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
                #expect(error?.code == .unusableFolder)
                #expect(error?.message.contains("cannot enter \(folder)") == true)
            }
            try await withFolder { elsewhere in
                var options = LocalPostgres.Options.throwaway
                options.fallbackFolder = elsewhere
                try await withServer("\(folder)/server", options: options) { server in
                    try await server.start()
                    #expect(try await query(server, "SELECT 1") == "1")
                    await server.stop()
                    try await server.start()
                    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere).count == 1)
                }
            }
        }
    }

    // A packaged installation belongs to the user of its service. Somebody runs a command as root.
    @Test(.enabled("only root can have the data of another user", { geteuid() == 0 }))
    func `root is told whose data these are, and changes nothing`() async throws {
        try await withFolder { folder in
            let user = try #require(getpwnam("daemon")).pointee.pw_uid
            for path in ["\(folder)/server", "\(folder)/server/data"] {
                try #require(mkdir(path, 0o700) == 0 && chown(path, user, 0) == 0)
            }
            try await withServer("\(folder)/server") { server in
                let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
                #expect(error?.code == .unusableFolder)
                #expect(error?.message.contains("sudo -u 'daemon'") == true)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/server") == ["data"])
        }
    }

    // A newer PostgreSQL is installed for another program, and the next start must still use the data.
    @Test func `programs of the version of the data come first`() throws {
        let root = "/tmp/local-postgres-test-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for version in ["15", "17"] {
            let folder = "\(root)/postgresql/\(version)/bin"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for program in ["initdb", "pg_ctl", "postgres"] {
                #expect(FileManager.default.createFile(atPath: "\(folder)/\(program)", contents: nil))
                try #require(chmod("\(folder)/\(program)", 0o755) == 0)
            }
        }
        try FileManager.default.createDirectory(atPath: "\(root)/server/data", withIntermediateDirectories: true)
        let path = ["PATH": "\(root)/postgresql/17/bin:\(root)/postgresql/15/bin"]
        #expect(try PostgresInstallation.find(environment: path).binaries.hasSuffix("/17/bin"))
        for version in ["15", "17"] {
            try "\(version)\n".write(toFile: "\(root)/server/data/PG_VERSION", atomically: false, encoding: .utf8)
            let found = try PostgresInstallation.find(environment: path, forDataIn: "\(root)/server")
            #expect(found.binaries.hasSuffix("/\(version)/bin"))
        }
    }
}
