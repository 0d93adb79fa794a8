import FoundationEssentials
import JSON
import MortiseClient

/// A server and the credential for it, which `mortise login` keeps.
struct Profile: Sendable {
    /// The credential of a profile.
    enum Secret: Sendable {
        /// An admin key or operator key.
        case key(SecretToken)
        /// A member's session.
        case session(Session)
    }

    /// The tokens of a member's session.
    struct Session: Sendable {
        /// The e-mail address of the member.
        let email: String
        /// The access token.
        let access: SecretToken
        /// The token that renews both tokens.
        ///
        /// It works once.
        let refresh: SecretToken
        /// The time at which the access token ends.
        let end: Date

        /// The time between the renewal and the end of an access token, in seconds.
        private static let margin = 30.0

        /// True if the access token must be renewed before it is used.
        var needsRenewal: Bool { end.timeIntervalSinceNow < Session.margin }

        init(email: String, access: SecretToken, refresh: SecretToken, end: Date) {
            self.email = email
            self.access = access
            self.refresh = refresh
            self.end = end
        }

        init(_ grant: SessionGrant) {
            self.init(email: grant.email, access: grant.access, refresh: grant.refresh, end: grant.end)
        }
    }

    /// The URL of the server.
    ///
    /// The credential is sent nowhere else.
    let url: String
    /// The file with the certificates to trust instead of the system's.
    let authorities: String?
    /// The credential.
    var secret: Secret

    /// The profile for people: the member or the kind of credential, and the server.
    var summary: String {
        switch secret {
        case .key(let token): "\(CommandCredential.kind(of: token)) at \(url)"
        case .session(let session): "\(session.email) at \(url)"
        }
    }
}

extension Profile {
    /// Reads a profile, or returns `nil` if a member is missing or malformed.
    init?(_ json: JSONValue) {
        guard let url = json["url"]?.string else { return nil }
        self.url = url
        authorities = json["ca_file"]?.string
        if let token = json["token"]?.string {
            secret = .key(SecretToken(token))
        } else if let email = json["email"]?.string, let access = json["access_token"]?.string,
            let refresh = json["refresh_token"]?.string,
            let end = json["access_token_ends_at"]?.string.flatMap(Date.init(rfc3339:))
        {
            secret = .session(
                Session(email: email, access: SecretToken(access), refresh: SecretToken(refresh), end: end)
            )
        } else {
            return nil
        }
    }

    /// The profile with its secrets, for the file.
    var json: JSONValue {
        var object: JSONObject = ["url": .string(url)]
        if let authorities { object["ca_file"] = .string(authorities) }
        switch secret {
        case .key(let token): object["token"] = .string(token.reveal())
        case .session(let session):
            object["email"] = .string(session.email)
            object["access_token"] = .string(session.access.reveal())
            object["access_token_ends_at"] = .string(session.end.rfc3339)
            object["refresh_token"] = .string(session.refresh.reveal())
        }
        return .object(object)
    }
}

/// The profiles of a user.
struct Profiles: Sendable {
    /// The name of the profile of commands that name none.
    ///
    /// `nil` if there is none.
    var current: String?
    /// The profiles by name.
    var byName: [String: Profile] = [:]

    /// The name of a profile whose user chose none.
    static let standardName = "default"

    init() {}

    /// Reads the profiles, or returns `nil` if the text is not that of a profiles file.
    init?(_ json: JSONValue) {
        guard let members = json["profiles"]?.object?.members else { return nil }
        for member in members {
            guard let profile = Profile(member.value) else { return nil }
            byName[member.name] = profile
        }
        current = json["current"]?.string
    }

    /// The text of the file.
    var text: String {
        var profiles = JSONObject()
        for (name, profile) in byName.sorted(by: { $0.key < $1.key }) { profiles[name] = profile.json }
        let object: JSONObject = ["current": current.map(JSONValue.string) ?? .null, "profiles": .object(profiles)]
        return JSONValue.object(object).text + "\n"
    }

    /// Removes a profile.
    ///
    /// If it is the current one, none is.
    mutating func remove(_ name: String) {
        byName[name] = nil
        if current == name { current = nil }
    }
}
