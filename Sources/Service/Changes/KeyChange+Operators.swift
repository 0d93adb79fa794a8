import KeyStore
import Keys

/// The last operator key that works.
///
/// Without one, nobody can create an organization or another operator key any more. ``Bootstrap`` can then recover
/// beside the database.
extension KeyChange {
    /// The time for which another operator key must still work to take over.
    private static let takeover = Duration.seconds(86_400)

    /// Throws if a change would leave the platform without an operator key that works.
    ///
    /// A key that ends within a day does not take over from a key that works longer, and a key in test mode not from a live key, because
    /// it makes test keys alone. Another key that is bound to addresses takes over if it works from the caller's address.
    ///
    /// - Parameters:
    ///   - old: The key before the change.
    ///   - new: The key after the change; `nil` if it is deleted.
    /// - Throws: `Refusal.conflict`, and the database's errors.
    func requireAnotherOperator(besides old: KeyRecord, becoming new: KeyRecord?) async throws {
        guard case .platform = keys.keyOwner, old.operates(at: now) else { return }
        let address = caller.address.flatMap { IPAddress($0) }
        // The address of a leak is its reporter's, who uses no operator key.
        let isSystem = if case .system = caller.principal.identity { true } else { false }
        func works(_ key: KeyRecord) -> Bool {
            isSystem ? key.operates(at: now) : key.operates(at: now, from: address)
        }
        if let new, new.operates(at: now), new.allowedAddresses == old.allowedAddresses || works(new),
            !Self.isEarlier(new.lifecycle.endsAt, than: old.lifecycle.endsAt)
        {
            return
        }
        let needed = old.lifecycle.endsAt.map { min($0, now + Self.takeover) } ?? now + Self.takeover
        let keys = try await store.list(
            in: .platform,
            KeyFilter(status: .active),
            at: .newest(offset: 0),
            limit: 1000
        )
        let isSafe = keys.contains { key in
            key.id != old.id && works(key) && (key.mode == .live || old.mode == .test)
                && !Self.isEarlier(key.lifecycle.endsAt, than: needed)
        }
        guard !isSafe else { return }
        throw Refusal.conflict(
            """
            This is the last operator key: no other one works from your address. So it must keep its permission, and get no end and no \
            other addresses. Create another \(old.mode == .live ? "live operator key" : "operator key") first.
            """
        )
    }

    /// Returns true if an end is earlier than another end; `nil` is no end.
    private static func isEarlier(_ end: Timestamp?, than other: Timestamp?) -> Bool {
        guard let end else { return false }
        return other.map { end < $0 } ?? true
    }
}

extension KeyRecord {
    /// Returns true if the key is an operator key that works from its addresses and can create another one.
    func operates(at now: Timestamp) -> Bool {
        kind == .operator && status(at: now) == .active && permissions.contains(Permission.platform.rawValue)
            && secrets.contains { $0.endsAt == nil }
    }

    /// Returns true if the key also works from an address; `nil` is an unknown one.
    fileprivate func operates(at now: Timestamp, from address: IPAddress?) -> Bool {
        guard operates(at: now) else { return false }
        if allowedAddresses.isEmpty { return true }
        guard let address else { return false }
        return allowedAddresses.contains { (try? AddressRange($0))?.contains(address) == true }
    }
}
