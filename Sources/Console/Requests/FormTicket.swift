import Keys
import Service

/// The number of a form that creates an object once.
///
/// A form that is sent twice has the same ticket, by which the second request finds what the first one made. A ticket is good for 12 hours:
/// the records of requests are deleted after 24, and a form that is sent after that would create a second object.
enum FormTicket {
    private static let lifetime = Duration.seconds(12 * 3600)

    /// Returns a new ticket for a person in an organization.
    static func make(_ person: String, at now: Timestamp, _ signer: TextSigner) -> String {
        var generator = SystemRandomNumberGenerator()
        let random = String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
        let text = "\(String(now.microsecondsSinceUnixEpoch, radix: 36))-\(random)"
        return "\(text).\(signer.sign("\(person) \(text)", for: "form ticket"))"
    }

    /// Returns a ticket that is still good, so that a form that has done its work makes nothing again, or else a new one.
    static func kept(_ ticket: String, _ person: String, at now: Timestamp, _ signer: TextSigner) -> String {
        key(ticket, person, at: now, signer) == nil ? make(person, at: now, signer) : ticket
    }

    /// Returns the `Idempotency-Key` of a ticket, or `nil` for one that is too old, or was made for somebody else.
    static func key(_ ticket: String, _ person: String, at now: Timestamp, _ signer: TextSigner) -> String? {
        let parts = ticket.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, signer.verify(parts[1], of: "\(person) \(parts[0])", for: "form ticket"),
            let made = parts[0].split(separator: "-").first.flatMap({ Int64($0, radix: 36) }),
            now - Timestamp(microsecondsSinceUnixEpoch: made) < lifetime
        else { return nil }
        return parts[0]
    }
}
