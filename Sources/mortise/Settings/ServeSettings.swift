package import Connections
package import GatewayAPI
package import Keys
package import Notices
package import Service
package import Surfaces

/// All settings of `mortise serve`.
package struct ServeSettings: Sendable, Equatable {
    /// The switch of the documents for operators and programmers.
    package enum PublicOperations: String, Sendable, CaseIterable { case on, off }

    /// The switch of passwords.
    package enum Passwords: String, Sendable, CaseIterable { case on, off }

    /// The permission to listen for gateways where other machines can connect.
    package enum GatewayOpen: String, Sendable, CaseIterable { case `true`, `false` }

    /// The database and the files of the installation.
    package var installation: InstallationSettings
    /// The address of the server.
    ///
    /// Defaults to 127.0.0.1:8080.
    package var listen: ListenerPlace
    /// The certificate and the key of the listener.
    ///
    /// `nil` means plain HTTP.
    package var tls: ServerCertificate.Files?
    /// The addresses that gateways connect to.
    ///
    /// Defaults to none.
    package var gateway: GatewayListener.Configuration
    /// The address for operators and their tools.
    ///
    /// `nil` means that the main listener answers them.
    package var operations: ListenerPlace?
    /// The proxies whose `X-Forwarded-For` the server trusts.
    ///
    /// Defaults to none: the client is the peer of the connection.
    package var clients: ClientAddresses
    /// The URL by which browsers reach the server.
    ///
    /// `nil` takes the scheme and the `Host` of requests to a loopback address.
    package var publicURL: String?
    /// True if the listener answers `/metrics` and `/openapi.json`.
    ///
    /// Defaults to true.
    package var publishesOperations: Bool
    /// The addresses that webhooks can be sent to although they are not globally reachable.
    ///
    /// None by default.
    package var webhookAllow: [AddressRange]
    /// The place of the keys that sign GitHub's reports of leaked tokens.
    ///
    /// `nil` refuses the reports.
    package var gitHubKeys: GitHubKeySource?
    /// The limits of clients' connections.
    package var clientConnections: ClientConnectionSettings
    /// The file that the tokens of a first start are written to.
    ///
    /// `nil` means standard output.
    package var keysFile: String?
    /// The token of the first operator key.
    ///
    /// `nil` means that Mortise creates one and prints it once.
    package var operatorKey: Token?
    /// The token of the first admin key.
    ///
    /// `nil` means that Mortise creates one and prints it once.
    package var adminKey: Token?
    /// The first owner of the organization "default".
    ///
    /// `nil` means no member.
    package var firstMember: FirstMember?
    /// The ways in which members sign in.
    package var signIn: SignInSettings
    /// The level and the form of the log.
    package var log: LogSettings
    /// The number of connections to PostgreSQL.
    package var connections: ConnectionSettings
    /// The days for which events are kept, 90 to 36500.
    ///
    /// `nil` keeps all events.
    package var eventDays: Int?
    /// The numbers of objects that one owner can have.
    package var quotas: Quotas
    /// The maximum size of the keys in memory, in bytes.
    ///
    /// Defaults to 64 MiB. 0 keeps none.
    package var cacheBytes: Int
    /// The time after SIGTERM in which the server says that it is not ready and still accepts connections, 0 to 3600 s.
    ///
    /// Defaults to 0 s.
    package var drainDelay: Duration
    /// The time that accepted requests have after the drain delay, 0 to 3600 s.
    ///
    /// Defaults to 30 s.
    package var shutdownGrace: Duration

    /// Reads the settings.
    ///
    /// An absent setting has its default.
    ///
    /// - Parameters:
    ///   - reader: The sources of the settings.
    ///   - isTerminal: True if standard error is a terminal.
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed. The error names its source and quotes no secret.
    package init(_ reader: SettingReader, isTerminal: Bool) throws(CommandFailure) {
        installation = try InstallationSettings(reader)
        listen = try reader.value(Settings.listen)
        tls = try Self.tls(reader)
        gateway = try Self.gateway(reader)
        operations = try reader.value(Settings.operationsListen)
        clients = try reader.value(Settings.trustedProxies)
        publicURL = try reader.value(Settings.publicURL)
        webhookAllow = try reader.value(Settings.webhookAllow)
        gitHubKeys = try Self.gitHubKeys(reader)
        publishesOperations = try reader.value(Settings.publicOperations) == .on
        clientConnections = try ClientConnectionSettings(reader)
        keysFile = try reader.value(Settings.keysOut)
        operatorKey = try reader.value(Settings.operatorKey)
        adminKey = try reader.value(Settings.adminKey)
        signIn = try SignInSettings(reader)
        firstMember = try Self.firstMember(reader, needsPassword: signIn.provider == nil)
        log = try LogSettings(reader, isTerminal: isTerminal)
        connections = try ConnectionSettings(reader)
        if case .own = installation.database { try connections.checkOwnServer() }
        quotas = try Quotas(reader)
        cacheBytes = try reader.value(Settings.cacheBytes)
        eventDays = try reader.value(Settings.eventDays)
        drainDelay = try reader.value(Settings.drainDelay)
        shutdownGrace = try reader.value(Settings.shutdownGrace)
        try checkPlaces()
    }

    private static func tls(_ reader: SettingReader) throws(CommandFailure) -> ServerCertificate.Files? {
        switch (try reader.find(Settings.tlsCertificate), try reader.find(Settings.tlsKey)) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return ServerCertificate.Files(certificate: certificate.text, key: key.text)
        case (let certificate?, nil): throw incomplete(certificate, Settings.tlsKey.declaration)
        case (nil, let key?): throw incomplete(key, Settings.tlsCertificate.declaration)
        }
    }

    private static func incomplete(_ given: SettingReader.Found, _ missing: SettingDeclaration) -> CommandFailure {
        .usage(
            "\(given.source) is given without \(missing.variable).",
            details: ["HTTPS needs a certificate and its private key. Set both, or neither."]
        )
    }

    /// Returns the place of GitHub's keys.
    ///
    /// A file wins over a URL.
    private static func gitHubKeys(_ reader: SettingReader) throws(CommandFailure) -> GitHubKeySource? {
        let url = try reader.value(Settings.gitHubKeysURL)
        if let file = try reader.value(Settings.gitHubKeysFile) { return .file(file) }
        return url.map { .url($0) }
    }

    private static func gateway(_ reader: SettingReader) throws(CommandFailure) -> GatewayListener.Configuration {
        var configuration = GatewayListener.Configuration()
        configuration.addresses = try reader.value(Settings.gatewayListen)
        configuration.rpcAddresses = try reader.value(Settings.grpcListen)
        configuration.isOpen = try reader.value(Settings.gatewayOpen) == .true
        guard !configuration.isOpen, let address = configuration.all.first(where: { !$0.isLocal }) else {
            return configuration
        }
        throw .usage(
            "The gateway address \(address) is neither a loopback address nor a socket.",
            details: [
                "Whoever can connect may ask about keys without a credential.",
                "Set \(Settings.gatewayOpen.declaration.variable)=true if only gateways reach its network.",
            ]
        )
    }

    /// Throws if two listeners have the same place.
    private func checkPlaces() throws(CommandFailure) {
        let listeners: [(place: ListenerPlace?, setting: SettingDeclaration)] =
            [(listen, Settings.listen.declaration), (operations, Settings.operationsListen.declaration)]
            + gateway.addresses.map { ($0.place, Settings.gatewayListen.declaration) }
            + gateway.rpcAddresses.map { ($0.place, Settings.grpcListen.declaration) }
        var known: [ListenerPlace: SettingDeclaration] = [:]
        for case (let place?, let setting) in listeners {
            // A port 0 is another one each time.
            if case .tcp(host: _, port: 0) = place { continue }
            guard let other = known.updateValue(setting, forKey: place) else { continue }
            guard other.variable != setting.variable else {
                throw .usage("\(setting.variable) has the address \(place) twice.", details: ["Remove one of them."])
            }
            throw .usage(
                "\(other.variable) and \(setting.variable) have the same address, \(place).",
                details: ["Give \(setting.variable) an address of its own."]
            )
        }
    }

    private static func firstMember(
        _ reader: SettingReader,
        needsPassword: Bool
    ) throws(CommandFailure) -> FirstMember? {
        let password = Settings.adminPassword.declaration
        switch (try reader.find(Settings.adminEmail), try reader.find(Settings.adminPassword)) {
        case (nil, nil): return nil
        case (let email?, let found) where found != nil || !needsPassword:
            do throws(FirstMemberFault) {
                return try FirstMember(email: email.text, password: found?.text)
            } catch {
                switch error {
                case .badEmail: throw .usage("\(email.source) is \"\(email.text)\", which is not an e-mail address.")
                case .badPassword: throw .usage("\(found?.source ?? password.variable) is not \(password.expected).")
                }
            }
        case (let email?, _):
            throw .usage(
                "\(email.source) is given without a password.",
                details: ["Set \(password.variable), or name a file that holds it with \(password.flag)."]
            )
        case (nil, let found?):
            let email = Settings.adminEmail.declaration
            throw .usage(
                "\(found.source) is given without an e-mail address.",
                details: ["Set \(email.variable) or \(email.flag)."]
            )
        }
    }
}
