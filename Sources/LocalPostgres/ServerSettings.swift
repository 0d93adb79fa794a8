import FoundationEssentials

/// The configuration file of a server.
struct ServerSettings: Sendable {
    let options: LocalPostgres.Options
    let socketFolder: String

    /// The settings that keep the server on its socket and in its folder.
    ///
    /// Callers cannot set them.
    static let reserved: Set<String> = [
        "config_file", "data_directory", "external_pid_file", "hba_file", "ident_file", "listen_addresses",
        "logging_collector", "port", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions",
    ]

    /// The reserved settings as arguments of the server, which `ALTER SYSTEM` cannot overrule.
    static let arguments =
        "-c config_file=settings.conf -c listen_addresses='' -c port=\(LocalPostgres.port) -c unix_socket_permissions=0700"

    /// Returns the text of the file.
    ///
    /// The file is beside the data folder and includes the configuration that `initdb` wrote there.
    ///
    /// - Throws: ``LocalPostgresError`` (`invalidSetting`).
    func text() throws -> String {
        guard (10...10_000).contains(options.maximumConnections) else {
            throw LocalPostgresError(.invalidSetting, "the maximum number of connections must be from 10 to 10,000")
        }
        var settings = [
            "max_connections": String(options.maximumConnections),
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            // Statements, and the values that the DETAIL of an error quotes, do not belong in a log.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            // The default opens every file of every database before a recovery, which takes minutes with thousands of them (PostgreSQL
            // manual, "Error Handling").
            "recovery_init_sync_method": "syncfs",
        ]
        if !options.isDurable {
            settings["fsync"] = "off"
            settings["synchronous_commit"] = "off"
            settings["full_page_writes"] = "off"
        }
        for (name, value) in options.settings {
            guard Self.isAllowed(name), !value.contains(where: \.isNewline), !value.utf8.contains(0) else {
                throw LocalPostgresError(.invalidSetting, "the setting \(name) is reserved or malformed; leave it out")
            }
            settings[name] = value
        }
        // The value is a list of folders. Each folder is in double quotes, and the list is in single quotes.
        let folder = "\"" + socketFolder.replacing("\"", with: "\"\"") + "\""
        settings["unix_socket_directories"] = folder
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key) = \(Self.quote($0.value))" }
        return (["include 'data/postgresql.conf'"] + lines).joined(separator: "\n") + "\n"
    }

    private static func isAllowed(_ name: String) -> Bool {
        let characters = name.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
        return characters && !name.isEmpty && !name.hasPrefix("include") && !reserved.contains(name)
    }

    private static func quote(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}
