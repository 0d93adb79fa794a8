public import FoundationEssentials
public import Keys

/// The verifications of one secret since the last flush.
///
/// A hundred thousand of them can wait in memory, so the fields are small, and those that few secrets need are in memory of their own.
public struct UsageCount: Sendable {
    /// The secret.
    public var secretID: UUID
    /// The key.
    public var keyID: UUID
    /// The last accepted verification; `nil` if all were refused.
    public var lastUse: KeyUse?
    /// True if the secret was replaced and was used in the last day before its end.
    private var isOfEndingSecret = false
    /// The count of the first minute and verdict, which nearly all verifications share.
    ///
    /// It needs no memory of its own.
    private var common: Common?
    private var others: [Minute: Int] = [:]
    /// The addresses of accepted verifications besides that of the last one.
    ///
    /// Nearly all keys are used from one address, which needs no memory here.
    package private(set) var otherAddresses: Set<IPAddress> = []

    /// The maximum number of addresses in ``otherAddresses``, because a key can be used from a million of them.
    private static let mostAddresses = 64
    /// The number of sums of minutes beyond which ``foldMinutes()`` adds minutes up, half an hour of a key with one verdict.
    private static let mostMinutes = 30

    /// The count of one minute and verdict.
    private struct Common {
        let minute: Int32
        var count: UInt32
        let code: VerdictCode
    }

    /// Calls `body` for each minute and verdict, with the number of verifications.
    ///
    /// A minute and verdict can come twice.
    package func forEachVerdict(_ body: (Minute, Int) -> Void) {
        if let common { body(Minute(number: Int64(common.minute), code: common.code), Int(common.count)) }
        for (minute, number) in others { body(minute, number) }
    }

    /// A verdict in a minute, or in an hour of which the minutes are not known any more.
    public struct Minute: Sendable, Hashable {
        /// The number of minutes since 1970, UTC.
        ///
        /// For an hour, this is the number of its first minute.
        public let number: Int64
        /// The verdict.
        public let code: VerdictCode
        /// True if it is an hour.
        package let isWholeHour: Bool

        /// Creates the minute of an instant.
        public init(of now: Timestamp, _ code: VerdictCode) {
            // Rounded down, also before 1970.
            let (quotient, remainder) = now.microsecondsSinceUnixEpoch.quotientAndRemainder(dividingBy: 60_000_000)
            number = remainder < 0 ? quotient - 1 : quotient
            self.code = code
            isWholeHour = false
        }

        fileprivate init(number: Int64, code: VerdictCode, isWholeHour: Bool = false) {
            self.number = number
            self.code = code
            self.isWholeHour = isWholeHour
        }

        /// The hour of the minute.
        fileprivate var hour: Minute { Minute(number: number - ofHour, code: code, isWholeHour: true) }

        /// The number of the minute in its hour, from 0.
        var ofHour: Int64 { ((number % 60) + 60) % 60 }
        var beginningOfHour: Timestamp { Timestamp(microsecondsSinceUnixEpoch: (number - ofHour) * 60_000_000) }
    }

    /// Creates a count of zero.
    public init(secretID: UUID, keyID: UUID) {
        self.secretID = secretID
        self.keyID = keyID
    }

    /// Counts verifications of one minute and verdict.
    ///
    /// - Returns: False if that needs one more sum and there is no room for it.
    @discardableResult
    private mutating func add(_ number: Int, _ minute: Minute, hasRoom: Bool = true) -> Bool {
        let isCommon =
            common.map { $0.code == minute.code && Int64($0.minute) == minute.number && !minute.isWholeHour }
            ?? (hasRoom && !minute.isWholeHour)
        if isCommon, let short = Int32(exactly: minute.number),
            let sum = UInt32(exactly: Int(common?.count ?? 0) + number)
        {
            common = Common(minute: short, count: sum, code: minute.code)
        } else {
            guard hasRoom || others[minute] != nil else { return false }
            others[minute, default: 0] += number
        }
        return true
    }

    /// The addresses of accepted verifications, as far as they are known.
    ///
    /// If there are very many, these are some of them.
    package var addresses: Set<IPAddress> {
        guard let address = lastUse?.address else { return otherAddresses }
        return otherAddresses.union([address])
    }

    /// True if the uses can make a notice due: they reached a limit, or presented a replaced secret in its last day.
    package var concernsNotices: Bool {
        isOfEndingSecret || common?.code == .rateLimited || others.keys.contains { $0.code == .rateLimited }
    }

    var accepted: Int {
        var accepted = 0
        forEachVerdict { minute, number in if minute.code == .valid { accepted += number } }
        return accepted
    }

    /// Counts one verification.
    ///
    /// - Parameters:
    ///   - code: The verdict.
    ///   - now: The time of the verification.
    ///   - address: The client's address, if it is known.
    ///   - end: The end of a secret that was replaced.
    public mutating func add(
        _ code: VerdictCode,
        at now: Timestamp,
        from address: IPAddress? = nil,
        ofSecretEndingAt end: Timestamp? = nil
    ) {
        add(1, Minute(of: now, code))
        if let end, end <= now + .seconds(86_400) { isOfEndingSecret = true }
        if code == .valid { add(KeyUse(at: now, address: address)) }
    }

    /// Adds another count of the same secret.
    public mutating func merge(_ other: UsageCount) { _ = merge(other, room: .max) }

    /// Adds another count of the same secret, except the verifications for whose sums there is no room.
    ///
    /// - Parameters:
    ///   - other: The other count, whose last use and addresses are added in any case.
    ///   - room: The maximum number of further sums.
    /// - Returns: The number of verifications that were not added.
    package mutating func merge(_ other: UsageCount, room: Int) -> Int {
        let before = sums
        var lost = 0
        other.forEachVerdict { minute, number in
            if !add(number, minute, hasRoom: sums - before < room) { lost += number }
        }
        isOfEndingSecret = isOfEndingSecret || other.isOfEndingSecret
        add(other.lastUse)
        for address in other.otherAddresses { keep(address) }
        return lost
    }

    private mutating func add(_ use: KeyUse?) {
        let earlier = lastUse?.address
        lastUse = KeyUse.later(lastUse, use)
        keep(earlier)
        keep(use?.address)
    }

    private mutating func keep(_ address: IPAddress?) {
        guard let address, address != lastUse?.address, otherAddresses.count < Self.mostAddresses else { return }
        otherAddresses.insert(address)
    }
}

/// Counts that wait for their database.
extension UsageCount {
    /// The number of sums: one for each verdict in each minute, or in each hour whose minutes were added up.
    package var sums: Int { (common == nil ? 0 : 1) + others.count }

    /// The number of verifications.
    package var verifications: Int {
        var sum = 0
        forEachVerdict { _, number in sum += number }
        return sum
    }

    /// The largest number of rows that a statement changes for the count, besides that of the secret.
    package var rows: Int { sums + otherAddresses.count + (lastUse?.address == nil ? 0 : 1) }

    /// Adds minutes up to their hours, except the last minute, if there are many of them.
    ///
    /// A database can be away for days, in which each key in use gets a sum each minute. All of them are memory, and a row of an hour keeps
    /// its minutes for two days only.
    package mutating func foldMinutes() { fold(beyond: Self.mostMinutes) }

    /// Adds all minutes except the last one up to their hours, because there is no room for them.
    package mutating func foldAllMinutes() { fold(beyond: 1) }

    private mutating func fold(beyond most: Int) {
        guard sums > most else { return }
        var (minutes, last) = (0, Int64.min)
        forEachVerdict { minute, _ in
            if minute.isWholeHour { return }
            minutes += 1
            last = max(last, minute.number)
        }
        guard minutes > most else { return }
        var folded: [Minute: Int] = [:]
        forEachVerdict { minute, number in
            folded[minute.isWholeHour || minute.number == last ? minute : minute.hour, default: 0] += number
        }
        (common, others) = (nil, folded)
    }

    /// Divides the count, so that a statement changes a bounded number of rows for each part.
    ///
    /// The parts together are the count: each has the last use, and the first has the other addresses.
    ///
    /// - Parameter rows: The number of rows, which the addresses of the first part can exceed.
    /// - Returns: The parts, at least one.
    package func divided(rows: Int) -> [UsageCount] {
        guard self.rows > rows else { return [self] }
        var first = self
        (first.common, first.others) = (nil, [:])
        var empty = UsageCount(secretID: secretID, keyID: keyID)
        (empty.lastUse, empty.isOfEndingSecret) = (lastUse, isOfEndingSecret)
        var parts = [first]
        forEachVerdict { minute, number in
            if parts[parts.count - 1].rows >= rows { parts.append(empty) }
            parts[parts.count - 1].add(number, minute)
        }
        return parts
    }
}

/// An accepted verification of a key.
public struct KeyUse: Sendable, Hashable {
    /// The time of the verification.
    public let at: Timestamp
    /// The client's address; `nil` if no verification that counts here named one.
    public var address: IPAddress? {
        switch kind {
        case .none: nil
        case .v4: .v4(UInt32(truncatingIfNeeded: low))
        case .v6: .v6(UInt128(high) << 64 | UInt128(low))
        }
    }

    /// The kind of the address.
    private enum Kind: UInt8 {
        case none
        case v4
        case v6
    }

    // Two words, because an `IPAddress` begins at a multiple of 16 bytes, and a use would need half as much memory again.
    private let high: UInt64
    private let low: UInt64
    private let kind: Kind

    /// Creates a use.
    public init(at: Timestamp, address: IPAddress?) {
        self.at = at
        switch address {
        case nil: (high, low, kind) = (0, 0, .none)
        case .v4(let bits): (high, low, kind) = (0, UInt64(bits), .v4)
        case .v6(let bits):
            (high, low, kind) = (UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits), .v6)
        }
    }

    /// Returns the later of two uses.
    ///
    /// If nobody named the client's address then, the use has the address of the earlier one.
    public static func later(_ one: KeyUse?, _ other: KeyUse?) -> KeyUse? {
        guard let one, let other else { return one ?? other }
        let (earlier, later) = one.at <= other.at ? (one, other) : (other, one)
        return later.address == nil ? KeyUse(at: later.at, address: earlier.address) : later
    }
}
