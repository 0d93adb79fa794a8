import JSON
import KeyStore
import Keys

/// The rules that every key obeys, whichever surface it comes through.
///
/// A surface with a schema of its own has ruled out most faults. The others would reach the database, which could not
/// say where they are.
struct KeyRules {
    private(set) var faults: [InvalidField] = []

    /// The maximum lengths in Unicode scalars, which PostgreSQL's `char_length` counts.
    private static let longestName = 255
    private static let longestText = 2000
    private static let longestType = 64
    private static let longestClaims = 16_384
    private static let mostElements = 1000

    private static let ofClientKeys = "Must not be given for a key that belongs to no subject."

    init() {}

    /// Throws if there is a fault.
    func enforce() throws(Refusal) {
        if !faults.isEmpty { throw .invalid(faults) }
    }

    mutating func fail(_ pointer: String, _ detail: String) {
        faults.append(InvalidField(pointer: pointer, detail: detail))
    }

    mutating func check(name: String) {
        check(name, at: "/name", 1...Self.longestName)
        // Nobody could tell two such keys apart, or enter the name to confirm a revocation.
        if !name.isEmpty, name.visible.isEmpty { fail("/name", "Must contain a visible character.") }
    }

    mutating func check(description: String?) {
        if let description { check(description, at: "/description", 0...Self.longestText) }
    }

    mutating func check(reason: String?) {
        if let reason { check(reason, at: "/reason", 0...Self.longestText) }
    }

    mutating func check(subject: String) { check(subject, at: "/subject", 1...Self.longestName) }

    mutating func check(type: String?) {
        if let type { check(type, at: "/type", 1...Self.longestType) }
    }

    mutating func check(createdBy: String?) {
        if let createdBy { check(createdBy, at: "/created_by", 1...Self.longestName) }
    }

    mutating func check(scopes: [Scope]) {
        check(scopes.map(\.text), at: "/scopes", 0...Self.longestName)
    }

    mutating func check(namespaces: [String]?) {
        if let namespaces { check(namespaces, at: "/allowed_namespaces", 1...Self.longestName) }
    }

    mutating func check(addresses: [AddressRange]) {
        if addresses.count > Self.mostElements { fail("/allowed_ips", "Must have at most 1000 entries.") }
    }

    mutating func check(limit: Int?, at pointer: String) {
        guard let limit, !(1...Int(Int32.max)).contains(limit) else { return }
        fail(pointer, "Must be from 1 to \(Int32.max).")
    }

    mutating func check(expiry: KeyExpiry) {
        if case .after(let lifetime) = expiry, lifetime <= .zero { fail("/expires_at", "Must be in the future.") }
    }

    mutating func check(claims: JSONValue?) {
        guard let claims else { return }
        if claims.text.utf8.count > Self.longestClaims {
            fail("/claims", "Must have at most \(Self.longestClaims) bytes as compact JSON.")
        } else if !claims.isStorable {
            fail("/claims", "Must have neither the character U+0000 nor a number of more than 64 digits.")
        }
    }

    private mutating func check(_ text: String, at pointer: String, _ length: ClosedRange<Int>) {
        if !length.contains(text.unicodeScalars.count) {
            let bounds = length.lowerBound == 0 ? "at most" : "\(length.lowerBound) to"
            fail(pointer, "Must have \(bounds) \(length.upperBound) characters.")
        } else if text.utf8.contains(0) {
            fail(pointer, "Must not contain the character U+0000.")
        }
    }

    private mutating func check(_ texts: [String], at pointer: String, _ length: ClosedRange<Int>) {
        if texts.count > Self.mostElements { return fail(pointer, "Must have at most 1000 entries.") }
        for (index, text) in texts.enumerated() { check(text, at: "\(pointer)/\(index)", length) }
    }
}

extension KeyRules {
    /// Creates the faults of a draft.
    init(_ draft: KeyDraft, in keys: KeyCollection) {
        self.init()
        check(name: draft.name)
        check(description: draft.description)
        if keys.isOfClients {
            if let subject = draft.subject ?? keys.subject {
                check(subject: subject)
            } else {
                fail("/subject", "Must be given.")
            }
        } else {
            if draft.subject != nil { fail("/subject", Self.ofClientKeys) }
            if draft.type != nil { fail("/type", Self.ofClientKeys) }
            if draft.claims != nil { fail("/claims", Self.ofClientKeys) }
        }
        if !keys.keyOwner.keyKinds.contains(draft.kind) { fail("/type", "Must be a type of keys that live here.") }
        check(type: draft.type)
        check(createdBy: draft.createdBy)
        check(scopes: draft.scopes)
        check(namespaces: draft.allowedNamespaces)
        check(addresses: draft.allowedAddresses)
        check(limit: draft.rateLimitPerMinute, at: "/rate_limit_per_minute")
        check(limit: draft.rateLimitPerHour, at: "/rate_limit_per_hour")
        check(expiry: draft.expiry)
        check(claims: draft.claims)
    }

    /// Creates the faults of a patch.
    init(_ patch: KeyPatch, in keys: KeyCollection) {
        self.init()
        if !keys.isOfClients {
            if case .set = patch.subject { fail("/subject", Self.ofClientKeys) }
            if case .set = patch.claims { fail("/claims", Self.ofClientKeys) }
        }
        if case .set(let name) = patch.name { check(name: name) }
        if case .set(let description) = patch.description { check(description: description) }
        if case .set(let subject) = patch.subject { check(subject: subject) }
        if case .set(let scopes) = patch.scopes { check(scopes: scopes) }
        if case .set(let namespaces) = patch.allowedNamespaces { check(namespaces: namespaces) }
        if case .set(let addresses) = patch.allowedAddresses { check(addresses: addresses) }
        if case .set(let limit) = patch.rateLimitPerMinute { check(limit: limit, at: "/rate_limit_per_minute") }
        if case .set(let limit) = patch.rateLimitPerHour { check(limit: limit, at: "/rate_limit_per_hour") }
        if case .set(let expiry) = patch.expiry { check(expiry: expiry) }
        if case .set(let claims) = patch.claims { check(claims: claims) }
    }

    /// Throws if a reason cannot be stored.
    static func enforce(reason: String?) throws(Refusal) {
        var rules = KeyRules()
        rules.check(reason: reason)
        try rules.enforce()
    }
}

extension JSONValue {
    /// True if `jsonb` can hold the value: it has no U+0000 and no number that would be written out at length.
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
