import LibPQ

/// Where a PostgreSQL server is, who connects, and how long that may take.
public struct PostgresConfiguration: Sendable {
    /// libpq's connection keywords: `host`, `port`, `user`, `dbname`, `sslmode`, … (libpq manual 34.1.2).
    public var parameters: [String: String]
    /// Run-time settings sent when a connection starts, such as `search_path` or `statement_timeout`.
    ///
    /// They travel in libpq's `options`, which PgBouncer refuses unless it is told to ignore them.
    public var settings: [String: String] = [:]
    /// How long a connection may take to come up, name look-up, TLS and authentication included.
    ///
    /// Default 5 s.
    public var connectDeadline: Duration = .seconds(5)
    /// How long a statement may take when its call names no deadline.
    ///
    /// Default 15 s.
    public var queryDeadline: Duration = .seconds(15)
    /// Whether statements are prepared once per connection.
    ///
    /// Default true.
    ///
    /// Turn it off behind PgBouncer in transaction mode before 1.21, or with `max_prepared_statements = 0`.
    public var usesPreparedStatements = true

    /// Reads a URI or `keyword=value` pairs as libpq does.
    ///
    /// - Throws: `invalidConfiguration` when libpq cannot read it; the text is not repeated, for it can hold a password.
    public init(_ connectionString: String) throws(PostgresError) {
        do throws(LibPQError) {
            parameters = try ConnectionString.parse(connectionString)
        } catch {
            throw PostgresError(.invalidConfiguration, error.message)
        }
    }

    /// The database's name; libpq's default is the user's name.
    public var database: String? {
        get { parameters["dbname"] }
        set { parameters["dbname"] = newValue }
    }

    /// The role that connects.
    public var user: String? {
        get { parameters["user"] }
        set { parameters["user"] = newValue }
    }

    /// The role's password.
    public var password: String? {
        get { parameters["password"] }
        set { parameters["password"] = newValue }
    }

    /// What `pg_stat_activity` shows.
    public var applicationName: String {
        get { parameters["application_name"] ?? "" }
        set { parameters["application_name"] = newValue }
    }

    /// The same server and role, another database.
    public func database(_ name: String) -> Self {
        var copy = self
        copy.database = name
        return copy
    }

    /// The same server and database, another role.
    public func user(_ name: String, password: String?) -> Self {
        var copy = self
        copy.user = name
        copy.password = password
        return copy
    }

    /// The same, with one more run-time setting.
    public func setting(_ name: String, _ value: String) -> Self {
        var copy = self
        copy.settings[name] = value
        return copy
    }

    /// What is handed to libpq.
    var keywords: [String: String] {
        var keywords = parameters
        keywords["client_encoding"] = "UTF8"
        // libpq's own time limit only works for its blocking calls; the reactor enforces connectDeadline.
        keywords["connect_timeout"] = nil
        if !settings.isEmpty {
            let options = settings.sorted { $0.key < $1.key }
                .map { "-c \($0.key)=\(Self.escape(option: $0.value))" }
                .joined(separator: " ")
            keywords["options"] = [keywords["options"], options].compactMap(\.self).joined(separator: " ")
        }
        return keywords
    }

    /// White space and backslashes in `options` are escaped by a backslash (libpq manual 34.1.2, `options`).
    private static func escape(option value: String) -> String {
        var escaped = ""
        for character in value {
            if character == "\\" || character.isWhitespace { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// Host, port and database: never the password.
    public var description: String {
        let host = parameters["host"] ?? parameters["hostaddr"] ?? "local socket"
        return "\(host):\(parameters["port"] ?? "5432")/\(database ?? user ?? "")"
    }
}
