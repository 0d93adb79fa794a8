import KeyStore

extension UsageCount {
    /// The number of verifications with each verdict in each minute.
    var verdicts: [Minute: Int] {
        var verdicts: [Minute: Int] = [:]
        forEachVerdict { minute, number in verdicts[minute, default: 0] += number }
        return verdicts
    }
}
