package import Service

/// The ways in which members sign in.
package struct SignInSettings: Sendable, Equatable {
    /// The OpenID provider.
    ///
    /// `nil` means that members sign in with passwords alone.
    package var provider: IdentityProvider?
    /// The use of passwords.
    ///
    /// Defaults to on.
    package var passwords: PasswordUse

    /// Creates settings.
    package init(provider: IdentityProvider?, passwords: PasswordUse) {
        self.provider = provider
        self.passwords = passwords
    }

    /// Reads the settings.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed, if only some of a provider's settings are given, or if
    ///   passwords are off without a provider.
    package init(_ reader: SettingReader) throws(CommandFailure) {
        provider = try Self.provider(reader)
        passwords = try reader.value(Settings.passwords) == .on ? .on : .off
        guard passwords == .off, provider == nil else { return }
        throw .usage(
            "Passwords are off, and there is no OpenID provider: no member could sign in.",
            details: [
                "Set \(Settings.oidcIssuer.declaration.variable), or remove \(Settings.passwords.declaration.variable)."
            ]
        )
    }

    private static func provider(_ reader: SettingReader) throws(CommandFailure) -> IdentityProvider? {
        let issuer = try reader.value(Settings.oidcIssuer)
        let client = try reader.find(Settings.oidcClientID)
        let secret = try reader.find(Settings.oidcClientSecret)
        let name = try reader.value(Settings.oidcName)
        guard let issuer, let client, let secret else {
            let given = [
                try reader.find(Settings.oidcIssuer), client, secret, try reader.find(Settings.oidcName),
            ]
            guard let first = given.compactMap(\.self).first else { return nil }
            throw incomplete(
                first.source,
                without: [
                    (Settings.oidcIssuer.declaration, issuer == nil),
                    (Settings.oidcClientID.declaration, client == nil),
                    (Settings.oidcClientSecret.declaration, secret == nil),
                ]
                .filter { $0.1 }.map { $0.0.variable }
            )
        }
        return IdentityProvider(
            issuer: issuer,
            clientID: client.text,
            clientSecret: ClientSecret(secret.text),
            name: name ?? IdentityProvider.host(of: issuer)
        )
    }

    private static func incomplete(_ given: String, without missing: [String]) -> CommandFailure {
        let verb = missing.count == 1 ? "is" : "are"
        return .usage(
            "\(given) is given, but \(missing.joined(separator: " and ")) \(verb) missing.",
            details: ["The provider gives the client id and the secret when you register this installation there."]
        )
    }
}
