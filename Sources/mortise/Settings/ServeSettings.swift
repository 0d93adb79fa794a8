package import Keys
import Server
package import Service
package import Surfaces

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
    /// Whose word counts about where a request comes from.
    ///
    /// Defaults to nobody's: that is the peer of the connection.
    package var clients: ClientAddresses
    /// The preset operator key; `nil` means that one is made and printed once.
    package var operatorKey: Token?
    /// The preset admin key; `nil` means that one is made and printed once.
    package var adminKey: Token?
    /// The first owner of the organization `default`; `nil` means nobody.
    package var firstMember: FirstMember?
    /// What is logged.
    package var log: LogSettings
    /// How many connections to databases there may be.
    package var connections: ConnectionSettings
    /// How long the server says that it is not ready, and still accepts, before it stops, 0 to 3600 s.
    ///
    /// Defaults to 0 s.
    package var drainDelay: Duration
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
        clients = try ServeSettings.clients(reader)
        operatorKey = try ServeSettings.preset(.operatorKey, .operator, reader)
        adminKey = try ServeSettings.preset(.adminKey, .admin, reader)
        firstMember = try ServeSettings.firstMember(reader)
        log = try LogSettings(reader, isTerminal: isTerminal)
        connections = try ConnectionSettings(reader)
        if case .own = database { try connections.checkOwnServer() }
        drainDelay = try reader.value(.drainDelay, default: .zero, expected: "seconds from 0 to 3600") {
            number($0, in: 0...3600).map { .seconds($0) }
        }
        shutdownGrace = try reader.value(.shutdownGrace, default: .seconds(30), expected: "seconds from 0 to 3600") {
            number($0, in: 0...3600).map { .seconds($0) }
        }
    }

    private static func firstMember(_ reader: SettingReader) throws(CommandFailure) -> FirstMember? {
        switch (try reader.find(.adminEmail), try reader.find(.adminPassword)) {
        case (nil, nil): return nil
        case (let email?, let password?):
            do throws(FirstMemberFault) {
                return try FirstMember(email: email.text, password: password.text)
            } catch {
                throw .usage(error.description)
            }
        case (_?, nil):
            throw .usage("MORTISE_ADMIN_EMAIL needs MORTISE_ADMIN_PASSWORD or --admin-password-file.")
        case (nil, _?): throw .usage("MORTISE_ADMIN_PASSWORD needs MORTISE_ADMIN_EMAIL or --admin-email.")
        }
    }

    static let defaultDataFolder = ".mortise"

    /// The trusted proxies, of which a list that was given names at least one.
    private static func clients(_ reader: SettingReader) throws(CommandFailure) -> ClientAddresses {
        guard let found = try reader.find(.trustedProxies) else { return ClientAddresses() }
        let form = ["It is a list of addresses and ranges, such as 10.0.0.0/8, 2001:db8::7."]
        let clients: ClientAddresses
        do throws(TrustedProxyFault) {
            clients = try ClientAddresses(parsing: found.text)
        } catch {
            throw .usage("\(found.source): \(error.description)", details: form)
        }
        guard clients != ClientAddresses() else { throw .usage("\(found.source) names no proxy.", details: form) }
        return clients
    }

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
