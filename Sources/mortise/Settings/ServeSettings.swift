package import Keys

/// Everything that `mortise serve` is told.
package struct ServeSettings: Sendable, Equatable {
    /// Which PostgreSQL is used.
    package var database: DatabaseSettings
    /// The folder of what Mortise keeps itself: its own PostgreSQL, and the secrets file unless one is named.
    ///
    /// Defaults to `.mortise`.
    package var dataFolder: String
    /// The secrets file; `nil` is the one in the data folder, made at the first start.
    package var secretsFile: String?
    /// Where to listen.
    ///
    /// Defaults to 127.0.0.1:8080.
    package var listen: ListenAddress
    /// The preset operator key; `nil` means that one is made and printed once.
    package var operatorKey: Token?
    /// The preset admin key; `nil` means that one is made and printed once.
    package var adminKey: Token?
    /// What is logged.
    package var log: LogSettings
    /// Threads that serve requests, 1 to 64, each with a connection of its own to every database that keys are looked up in.
    ///
    /// `nil` means half as many as there are processors, the other half being for HTTP and PostgreSQL.
    package var threads: Int?
    /// How long requests may go on after SIGTERM, 0 to 3600 s.
    ///
    /// Defaults to 30 s.
    package var shutdownGrace: Duration

    /// Reads the settings; what is absent has its default.
    ///
    /// - Throws: `CommandFailure` of kind `usage`, which names the flag or variable that is wrong, and no secret.
    package init(_ reader: SettingReader, isTerminal: Bool) throws(CommandFailure) {
        database = try DatabaseSettings(reader)
        dataFolder = try reader.find(.data)?.text ?? ServeSettings.defaultDataFolder
        secretsFile = try reader.find(.pepperFile)?.text
        listen = try reader.value(
            .listen,
            default: ListenAddress(host: "127.0.0.1", port: 8080),
            expected: "HOST:PORT, such as 127.0.0.1:8080 or [::]:8080"
        ) { ListenAddress($0) }
        operatorKey = try ServeSettings.preset(.operatorKey, .operator, reader)
        adminKey = try ServeSettings.preset(.adminKey, .admin, reader)
        log = try LogSettings(reader, isTerminal: isTerminal)
        threads = try reader.value(.threads, default: nil, expected: "a number from 1 to 64") { number($0, in: 1...64) }
        shutdownGrace = try reader.value(.shutdownGrace, default: .seconds(30), expected: "seconds from 0 to 3600") {
            number($0, in: 0...3600).map { .seconds($0) }
        }
    }

    static let defaultDataFolder = ".mortise"

    /// A preset key, which must be one that Mortise itself could have made: a mistyped one would lock its owner out.
    private static func preset(_ setting: Setting, _ kind: KeyKind, _ reader: SettingReader) throws(CommandFailure)
        -> Token?
    {
        guard let found = try reader.find(setting) else { return nil }
        let advice = ["`mortise key generate --kind \(kind.rawValue)` makes one."]
        let token: Token
        do throws(TokenFault) {
            token = try Token(found.text)
        } catch {
            throw .usage("\(found.source): \(error.description)", details: advice)
        }
        guard token.parsed.prefix == kind.defaultPrefix, token.parsed.workspaceRef.isRoot else {
            throw .usage("\(found.source) is a token, but not of the kind \(kind.rawValue).", details: advice)
        }
        return token
    }
}

/// Decimal digits as a number in a range.
func number(_ text: String, in range: ClosedRange<Int>) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
        return nil
    }
    return range.contains(number) ? number : nil
}
