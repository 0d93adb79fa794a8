import MortiseClient

/// The server that a command calls, and the credential that it presents.
///
/// The credential comes from `--token-file`, `--profile`, `MORTISE_TOKEN`, `MORTISE_PROFILE` or the current profile, and
/// the URL from `--url`, `MORTISE_URL` or the profile: the first that is given. The credential of a profile is sent to
/// the server of the profile alone.
struct ServerAccess: Sendable {
    /// The URL of the server.
    let url: ServerURL
    /// The file with the certificates to trust.
    ///
    /// `nil` trusts the system's.
    let authorities: String?
    /// The credential.
    ///
    /// `nil` if none was found.
    let credential: CommandCredential?

    private struct Selection {
        let name: String
        let profile: Profile
        let store: ProfileStore
    }

    /// The environment variable that names a profile.
    static let profileVariable = "MORTISE_PROFILE"
    /// The environment variable that names a file of certificates.
    static let authoritiesVariable = "MORTISE_CA_FILE"

    /// Finds the server and the credential.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if an option, a variable or the profiles file is wrong.
    static func find(_ options: ConnectionOptions) async throws -> ServerAccess {
        var credential: CommandCredential?
        if let file = options.tokenFile {
            credential = CommandCredential(try await file.readToken(option: "--token-file"), from: "--token-file")
        } else if options.profile == nil, let text = Environment.value(CommandCredential.variable) {
            let variable = CommandCredential.variable
            credential = CommandCredential(try SecretToken(checking: text, from: variable), from: variable)
        }
        let given = try ServerURL.given(option: options.url)
        let named = options.profile ?? Environment.value(profileVariable)
        let ownAuthorities = options.caFile ?? Environment.value(authoritiesVariable)
        // A file that is not needed is not read, so that its faults stop nothing.
        if let credential, let given, options.profile == nil {
            return ServerAccess(url: given, authorities: ownAuthorities, credential: credential)
        }
        guard let selection = try selection(named) else {
            return ServerAccess(
                url: try given ?? ServerURL(ServerURL.standard, from: "--url"),
                authorities: ownAuthorities,
                credential: credential
            )
        }
        let own = try ServerURL(selection.profile.url, from: "The URL of the profile \(selection.name)")
        let authorities = ownAuthorities ?? (given == nil || given == own ? selection.profile.authorities : nil)
        if let credential {
            return ServerAccess(url: given ?? own, authorities: authorities, credential: credential)
        }
        if let given, given != own {
            throw CommandFailure.usage(
                "The profile \(selection.name) is for \(own.text), and the command is for \(given.text). Nothing was sent.",
                details: ["Name a credential for \(given.text) with --token-file, or use another --profile."]
            )
        }
        return ServerAccess(
            url: own,
            authorities: authorities,
            credential: try self.credential(of: selection, at: own, authorities, timeout: options.time.limit)
        )
    }

    private static func selection(_ named: String?) throws(CommandFailure) -> Selection? {
        guard let store = ProfileStore.standard else {
            if named != nil { _ = try ProfileStore.find() }
            return nil
        }
        let profiles = try store.load()
        guard let name = named ?? profiles.current else { return nil }
        guard let profile = profiles.byName[name] else { throw .noProfile(name, among: profiles) }
        return Selection(name: name, profile: profile, store: store)
    }

    private static func credential(
        of selection: Selection,
        at url: ServerURL,
        _ authorities: String?,
        timeout: Duration
    ) throws(CommandFailure) -> CommandCredential {
        let source = "the profile \(selection.name)"
        switch selection.profile.secret {
        case .key(let token): return CommandCredential(token, from: source)
        case .session(let session):
            let client = try Mortise.anonymous(url, timeout: timeout, authorities: authorities)
            let keeper = ProfileSession(session, of: selection.name, in: selection.store, client: client)
            return CommandCredential(keeper, from: source)
        }
    }
}

extension CommandFailure {
    /// Returns the failure for a profile that does not exist.
    static func noProfile(_ name: String, among profiles: Profiles) -> CommandFailure {
        let near = NearestName.suggestion(for: name, among: profiles.byName.keys.sorted().map { ($0, "") })
        return .usage(
            "There is no profile \"\(name)\".",
            details: (near.map { ["Did you mean \($0)?"] } ?? []) + ["`mortise login --profile \(name)` makes one."]
        )
    }
}

extension Mortise {
    /// Returns a client without a credential, for the begin and the renewal of a session.
    static func anonymous(
        _ url: ServerURL,
        timeout: Duration,
        authorities: String?
    ) throws(CommandFailure) -> Mortise {
        var options = ClientOptions()
        options.timeout = timeout
        options.maximumRetries = 0
        options.userAgent = "mortise/\(Version.current)"
        return Mortise(
            url: url,
            credential: nil,
            options: options,
            http: try authorities.map(CertificateAuthorities.client)
        )
    }
}
