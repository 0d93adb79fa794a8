import JSON
import KeyStore
import Keys

/// What every key must be like, whichever surface it comes through.
///
/// A surface with a schema of its own has ruled most of it out; this is what keeps a text that it let through from being refused by the
/// database, which could not say where the fault is.
struct KeyRules {
    private(set) var faults: [InvalidField] = []

    /// The longest text of a kind, in Unicode scalars, which is what PostgreSQL's `char_length` counts.
    private static let longestName = 255
    private static let longestText = 2000
    private static let longestType = 64
    private static let longestClaims = 16_384
    private static let mostElements = 1000

    private static let ofClientKeys = "Must not be given for a key that belongs to no subject."

    init() {}

    /// Refuses if anything was found.
    func enforce() throws(Refusal) {
        if !self.faults.isEmpty { throw .invalid(self.faults) }
    }

    mutating func fail(_ pointer: String, _ detail: String) {
        self.faults.append(InvalidField(pointer: pointer, detail: detail))
    }

    mutating func check(name: String) { self.check(name, at: "/name", 1...Self.longestName) }

    mutating func check(description: String?) {
        if let description { self.check(description, at: "/description", 0...Self.longestText) }
    }

    mutating func check(reason: String?) {
        if let reason { self.check(reason, at: "/reason", 0...Self.longestText) }
    }

    mutating func check(subject: String) { self.check(subject, at: "/subject", 1...Self.longestName) }

    mutating func check(type: String?) {
        if let type { self.check(type, at: "/type", 1...Self.longestType) }
    }

    mutating func check(createdBy: String?) {
        if let createdBy { self.check(createdBy, at: "/created_by", 1...Self.longestName) }
    }

    mutating func check(scopes: [Scope]) {
        self.check(scopes.map(\.text), at: "/scopes", 0...Self.longestName)
    }

    mutating func check(namespaces: [String]?) {
        if let namespaces { self.check(namespaces, at: "/allowed_namespaces", 1...Self.longestName) }
    }

    mutating func check(addresses: [AddressRange]) {
        if addresses.count > Self.mostElements { self.fail("/allowed_ips", "Must have at most 1000 elements.") }
    }

    mutating func check(limit: Int?, at pointer: String) {
        guard let limit, !(1...Int(Int32.max)).contains(limit) else { return }
        self.fail(pointer, "Must be from 1 to \(Int32.max).")
    }

    mutating func check(lifetime: Duration?) {
        if let lifetime, lifetime <= .zero { self.fail("/expires_at", "Must be in the future.") }
    }

    mutating func check(claims: JSONValue?) {
        guard let claims else { return }
        if claims.text.utf8.count > Self.longestClaims {
            self.fail("/claims", "Must have at most \(Self.longestClaims) bytes as compact JSON.")
        } else if !claims.isStorable {
            self.fail("/claims", "Must have neither the character U+0000 nor a number of more than 64 digits.")
        }
    }

    private mutating func check(_ text: String, at pointer: String, _ length: ClosedRange<Int>) {
        if !length.contains(text.unicodeScalars.count) {
            let bounds = length.lowerBound == 0 ? "at most" : "\(length.lowerBound) to"
            self.fail(pointer, "Must have \(bounds) \(length.upperBound) characters.")
        } else if text.utf8.contains(0) {
            self.fail(pointer, "Must not contain the character U+0000.")
        }
    }

    private mutating func check(_ texts: [String], at pointer: String, _ length: ClosedRange<Int>) {
        if texts.count > Self.mostElements { return self.fail(pointer, "Must have at most 1000 elements.") }
        for (index, text) in texts.enumerated() { self.check(text, at: "\(pointer)/\(index)", length) }
    }
}

extension KeyRules {
    /// What is wrong with a key to be made.
    init(_ draft: KeyDraft, in home: KeyHome) {
        self.init()
        self.check(name: draft.name)
        self.check(description: draft.description)
        if home.keyOwner.keyKinds == [.client] {
            if let subject = draft.subject ?? home.subject {
                self.check(subject: subject)
            } else {
                self.fail("/subject", "Must be given.")
            }
        } else {
            if draft.subject != nil { self.fail("/subject", Self.ofClientKeys) }
            if draft.type != nil { self.fail("/type", Self.ofClientKeys) }
            if draft.claims != nil { self.fail("/claims", Self.ofClientKeys) }
        }
        if !home.keyOwner.keyKinds.contains(draft.kind) { self.fail("/type", "Must be a type of keys that live here.") }
        self.check(type: draft.type)
        self.check(createdBy: draft.createdBy)
        self.check(scopes: draft.scopes)
        self.check(namespaces: draft.allowedNamespaces)
        self.check(addresses: draft.allowedAddresses)
        self.check(limit: draft.rateLimitPerMinute, at: "/rate_limit_per_minute")
        self.check(limit: draft.rateLimitPerHour, at: "/rate_limit_per_hour")
        self.check(lifetime: draft.lifetime)
        self.check(claims: draft.claims)
    }

    /// What is wrong with a change.
    init(_ patch: KeyPatch, in home: KeyHome) {
        self.init()
        if home.keyOwner.keyKinds != [.client] {
            if case .set = patch.subject { self.fail("/subject", Self.ofClientKeys) }
            if case .set = patch.claims { self.fail("/claims", Self.ofClientKeys) }
        }
        if case .set(let name) = patch.name { self.check(name: name) }
        if case .set(let description) = patch.description { self.check(description: description) }
        if case .set(let subject) = patch.subject { self.check(subject: subject) }
        if case .set(let scopes) = patch.scopes { self.check(scopes: scopes) }
        if case .set(let namespaces) = patch.allowedNamespaces { self.check(namespaces: namespaces) }
        if case .set(let addresses) = patch.allowedAddresses { self.check(addresses: addresses) }
        if case .set(let limit) = patch.rateLimitPerMinute { self.check(limit: limit, at: "/rate_limit_per_minute") }
        if case .set(let limit) = patch.rateLimitPerHour { self.check(limit: limit, at: "/rate_limit_per_hour") }
        self.check(lifetime: patch.lifetime)
        if case .set(let claims) = patch.claims { self.check(claims: claims) }
    }

    /// Refuses a reason that cannot be stored.
    static func enforce(reason: String?) throws(Refusal) {
        var rules = KeyRules()
        rules.check(reason: reason)
        try rules.enforce()
    }
}

extension JSONValue {
    /// Whether `jsonb` can hold it: no U+0000, and no number that it would write out at length.
    fileprivate var isStorable: Bool {
        switch self {
        case .null, .bool: true
        case .string(let text): !text.utf8.contains(0)
        case .number(let number): number.isStorable
        case .array(let elements): elements.allSatisfy(\.isStorable)
        case .object(let object):
            object.members.allSatisfy { !$0.name.utf8.contains(0) && $0.value.isStorable }
        }
    }
}
