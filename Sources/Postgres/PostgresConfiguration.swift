import LibPQ

/// The address of a PostgreSQL server, the role and database to connect as, and the time limits.
public struct PostgresConfiguration: Sendable {
    /// The connection keywords of libpq and their values: `host`, `port`, `user`, `dbname`, `sslmode`, … (libpq manual 34.1.2).
    public var parameters: [String: String]
    /// The server settings of each connection, such as `search_path` or `statement_timeout`.
    ///
    /// They travel in libpq's keyword `options`. PgBouncer refuses that keyword unless its own configuration ignores it.
    public var settings: [String: String] = [:]
    /// The maximum time to open a connection, with name resolution, TLS and authentication.
    ///
    /// Defaults to 5 seconds.
    public var connectDeadline: Duration = .seconds(5)
    /// The maximum time of a statement whose call passes no deadline.
    ///
    /// Defaults to 15 seconds.
    public var queryDeadline: Duration = .seconds(15)
    /// The maximum time after its deadline in which the server stops a statement, before the connection is closed.
    ///
    /// Defaults to 3 seconds.
    package var cancellationPatience: Duration = .seconds(3)
    /// True if each connection prepares a statement at its first use.
    ///
    /// Defaults to true.
    ///
    /// Set it to false for PgBouncer in transaction mode before version 1.21, or with `max_prepared_statements = 0`.
    public var usesPreparedStatements = true

    /// Reads a connection string as libpq does.
    ///
    /// - Parameter connectionString: A `postgresql://` URI, or `keyword=value` pairs.
    /// - Throws: `invalidConfiguration` if libpq cannot read the text. The error does not repeat the text, which can hold a password.
    public init(_ connectionString: String) throws(PostgresError) {
        do throws(LibPQError) {
            parameters = try ConnectionString.parse(connectionString)
        } catch {
            throw PostgresError(.invalidConfiguration, error.message)
        }
    }

    /// The name of the database.
    ///
    /// Without one, libpq uses the name of the role.
    public var database: String? {
        get { parameters["dbname"] }
        set { parameters["dbname"] = newValue }
    }

    /// True if libpq tries several hosts, one after the other.
    public var hasSeveralHosts: Bool {
        ["host", "hostaddr"]
            .contains { keyword in
                (parameters[keyword] ?? ConnectionString.defaultValue(of: keyword))?.contains(",") ?? false
            }
    }

    /// A configuration for each host, which accepts a server in whatever state it is.
    ///
    /// The array has one element if libpq knows one host, or takes the list from the environment.
    package var singleHosts: [PostgresConfiguration] {
        let names = list("host")
        let addresses = list("hostaddr")
        let count = max(names.count, addresses.count)
        guard count > 1 else { return [self] }
        let ports = list("port")
        return (0..<count)
            .map { index in
                var copy = self
                copy.parameters["target_session_attrs"] = "any"
                if index < names.count { copy.parameters["host"] = names[index] }
                if index < addresses.count { copy.parameters["hostaddr"] = addresses[index] }
                // One port stands for all hosts.
                if ports.count > 1, index < ports.count { copy.parameters["port"] = ports[index] }
                return copy
            }
    }

    private func list(_ keyword: String) -> [String] {
        (parameters[keyword] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// The name of the role that connects.
    public var user: String? {
        get { parameters["user"] }
        set { parameters["user"] = newValue }
    }

    /// The password of the role.
    public var password: String? {
        get { parameters["password"] }
        set { parameters["password"] = newValue }
    }

    /// The name of this program in `pg_stat_activity`.
    public var applicationName: String {
        get { parameters["application_name"] ?? "" }
        set { parameters["application_name"] = newValue }
    }

    /// Returns a configuration for another database of the same server, with the same role.
    public func database(_ name: String) -> Self {
        var copy = self
        copy.database = name
        return copy
    }

    /// Returns a configuration for another role, with the same server and database.
    ///
    /// - Parameters:
    ///   - name: The name of the role.
    ///   - password: The password. With `nil`, libpq looks for one in its environment and its password file.
    /// - Returns: The configuration.
    public func user(_ name: String, password: String?) -> Self {
        var copy = self
        copy.user = name
        copy.password = password
        return copy
    }

    /// Returns a configuration with one more server setting.
    ///
    /// - Parameters:
    ///   - name: The name of the setting, such as `statement_timeout`. An earlier value of the same name is replaced.
    ///   - value: The value, as `SET` accepts it.
    /// - Returns: The configuration. Its connections have the setting from their beginning.
    public func setting(_ name: String, _ value: String) -> Self {
        var copy = self
        copy.settings[name] = value
        return copy
    }

    /// The values that end a connection to a server that is gone, unless the connection string has others (libpq manual 34.1.2).
    ///
    /// A machine that loses its power closes no connection. Without them, a session that waits for the answer to a COMMIT keeps a place
    /// of its pool for an hour, and the system's own probes begin after two. A server that is alive answers probes although it waits for a
    /// standby.
    private static let probes = [
        "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "25000",
    ]

    /// The keywords and values for libpq.
    package var keywords: [String: String] {
        var keywords = parameters
        // The file of a service can have values of its own, which these would replace.
        let service = keywords["service"] ?? ConnectionString.defaultValue(of: "service")
        if service == nil { keywords.merge(Self.probes) { own, _ in own } }
        keywords["client_encoding"] = "UTF8"
        // libpq's own time limit works only for its blocking calls. The reactor enforces connectDeadline.
        keywords["connect_timeout"] = nil
        if settings["default_transaction_read_only"] == "on",
            (parameters["target_session_attrs"] ?? ConnectionString.defaultValue(of: "target_session_attrs"))
                == "read-write"
        {
            // libpq takes a session that is read-only by its own setting for one of a server that accepts no changes, and would find no
            // server at all. `primary` looks at the server only.
            keywords["target_session_attrs"] = "primary"
        }
        if !settings.isEmpty {
            let options = settings.sorted { $0.key < $1.key }
                .map { "-c \($0.key)=\(Self.escape(option: $0.value))" }
                .joined(separator: " ")
            keywords["options"] = [keywords["options"], options].compactMap(\.self).joined(separator: " ")
        }
        return keywords
    }

    /// Returns a value for `options`, with a backslash before white space and backslashes (libpq manual 34.1.2, `options`).
    private static func escape(option value: String) -> String {
        value.escaping(by: "\\") { $0 == "\\" || $0.properties.isWhitespace }
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// The host, the port and the database, without the password.
    public var description: String {
        let host = parameters["host"] ?? parameters["hostaddr"] ?? "local socket"
        return "\(host):\(parameters["port"] ?? "5432")/\(database ?? user ?? "")"
    }
}
