import FoundationEssentials
import Glibc
import LocalPostgres
import TestSupport
import Testing

@Suite(.hangLimit)
struct ConfigurationTests {
    @Test
    func `settings reach the server as they were given`() async throws {
        try await withFolder { folder in
            var options = LocalPostgres.Options.throwaway
            options.settings = ["application_name": #"a 'quoted' \ value"#, "track_commit_timestamp": "on"]
            try await withServer(folder, options: options) { server in
                try await server.start()
                let sql =
                    "SELECT boot_val IS DISTINCT FROM reset_val FROM pg_settings WHERE name = 'track_commit_timestamp'"
                #expect(try await query(server, sql) == "t")
                let file = "SELECT setting FROM pg_file_settings WHERE name = 'application_name'"
                #expect(try await query(server, file) == #"a 'quoted' \ value"#)
            }
        }
    }

    // Attack: open the server to the network by a setting. Its superuser has no password.
    @Test(arguments: [
        ["listen_addresses": "*"], ["hba_file": "/tmp/hba"], ["unix_socket_directories": "/tmp"],
        ["work_mem": "4MB\nlisten_addresses = '*'"], ["LISTEN_ADDRESSES": "*"], ["include": "/tmp/more.conf"],
        ["": "x"],
    ])
    func `settings that would open the server are refused`(settings: [String: String]) async throws {
        try await withFolder { folder in
            var options = LocalPostgres.Options.throwaway
            options.settings = settings
            try await withServer(folder, options: options) { server in
                let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
                #expect(error?.code == .invalidSetting)
                #expect(postmaster(folder) == nil)
            }
        }
    }

    @Test
    func `the error of a failed start has the server's reason`() async throws {
        try await withFolder { folder in
            var options = LocalPostgres.Options.throwaway
            options.settings = ["shared_preload_libraries": "no_such_library"]
            try await withServer(folder, options: options) { server in
                let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
                #expect(error?.code == .commandFailed)
                #expect(error?.message.contains("no_such_library") == true)
            }
            try await eventually("the watcher ends") { processes(naming: folder).isEmpty }
        }
    }

    @Test
    func `the log has no statements and no values`() async throws {
        try await withFolder { folder in
            try await withServer(folder) { server in
                try await server.start()
                try await query(server, "CREATE TABLE t (digest text PRIMARY KEY)")
                try await query(server, "INSERT INTO t VALUES ('sesame')")
                await #expect(throws: (any Error).self) { try await query(server, "INSERT INTO t VALUES ('sesame')") }
                let log = try String(contentsOfFile: "\(folder)/postgres.log", encoding: .utf8)
                #expect(log.contains("duplicate key value"))
                #expect(!log.contains("sesame") && !log.contains("INSERT"))
            }
        }
    }

    @Test
    func `a long log is moved to a second file`() async throws {
        try await withFolder { folder in
            let long = Data(repeating: UInt8(ascii: "x"), count: 9 << 20)
            try long.write(to: URL(filePath: "\(folder)/postgres.log"))
            try await withServer(folder) { server in
                try await server.start()
                let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/postgres.log")[.size] as? Int
                #expect(try #require(size) < 1 << 20)
                #expect(exists("\(folder)/postgres.log.1"))
            }
        }
    }

    @Test
    func `data of another version are refused by name and not changed`() async throws {
        try await withFolder { folder in
            try await withServer(folder) { server in
                try await server.start()
                await server.stop()
                try Data("9\n".utf8).write(to: URL(filePath: "\(folder)/data/PG_VERSION"))
                let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
                #expect(error?.code == .unusableFolder)
                #expect(error?.message.contains("PostgreSQL 9") == true)
            }
        }
    }
}
