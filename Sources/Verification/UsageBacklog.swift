import FoundationEssentials
import KeyStore

/// The counts that wait for their databases, within bounds.
///
/// If a database is unavailable for long, its counts are added up: each secret has one sum for each verdict in each hour, and those of the
/// last minutes.
struct UsageBacklog {
    private let maximumSecrets: Int
    private let maximumSums: Int
    private var counts: [UsageRecorder.Database: [UUID: UsageCount]] = [:]
    /// The databases for which the counts of a secret wait, nearly always one.
    private var homes: [UUID: [UsageRecorder.Database]] = [:]
    /// The number of secrets.
    private(set) var secrets = 0
    /// The number of sums of all secrets.
    private(set) var sums = 0

    /// Creates an empty backlog.
    ///
    /// - Parameters:
    ///   - maximumSecrets: The largest number of secrets.
    ///   - maximumSums: The largest number of sums: one for each secret and verdict in each minute or hour.
    init(maximumSecrets: Int, maximumSums: Int) {
        self.maximumSecrets = maximumSecrets
        self.maximumSums = maximumSums
    }

    /// The databases with counts.
    var databases: some Collection<UsageRecorder.Database> { counts.keys }

    /// Adds a count.
    ///
    /// - Returns: The number of verifications for which there is no room.
    mutating func add(_ count: UsageCount, of database: UsageRecorder.Database) -> Int {
        let isNew = counts[database]?.index(forKey: count.secretID) == nil
        if isNew, secrets >= maximumSecrets { return count.verifications }
        if isNew {
            secrets += 1
            homes[count.secretID, default: []].append(database)
        }
        // Removed, so that the sums are not copied.
        var sum =
            counts[database]?.removeValue(forKey: count.secretID)
            ?? UsageCount(secretID: count.secretID, keyID: count.keyID)
        sums -= sum.sums
        if sums + sum.sums + count.sums > maximumSums { sum.foldAllMinutes() }
        let before = sum.sums
        let lost = sum.merge(count, room: maximumSums - sums - before)
        if sum.sums > before { sum.foldMinutes() }
        sums += sum.sums
        counts[database, default: [:]][count.secretID] = sum
        return lost
    }

    /// Removes the counts of a database, and returns them together with others, one for each secret.
    mutating func take(_ database: UsageRecorder.Database, adding others: [UsageCount]) -> [UsageCount] {
        guard var taken = counts.removeValue(forKey: database) else { return others }
        secrets -= taken.count
        for secret in taken.keys {
            homes[secret]?.removeAll { $0 == database }
            if homes[secret]?.isEmpty == true { homes[secret] = nil }
        }
        sums -= taken.values.reduce(0) { $0 + $1.sums }
        for count in others {
            taken[count.secretID, default: UsageCount(secretID: count.secretID, keyID: count.keyID)].merge(count)
        }
        return Array(taken.values)
    }

    /// Returns the counts of a secret, which more than one database can have had.
    func counts(of secret: UUID) -> [UsageCount] { (homes[secret] ?? []).compactMap { counts[$0]?[secret] } }
}
