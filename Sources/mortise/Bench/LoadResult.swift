/// The counts of one connection of the load tool, or of all.
package struct LoadResult: Sendable {
    /// The latencies of the answers, and of requests that were due and not sent in time.
    package var latencies = LatencyHistogram()
    /// The right answers, by the kind of the token.
    package var right: [BenchMix.Kind: Int] = [:]
    /// The answers that were not right.
    package var wrong = 0
    /// The first answer that was not right, as text.
    var firstWrong: String?
    /// The requests that were due before the end and were not sent, because earlier answers came late.
    package var missed = 0
    /// The connections that ended before their time.
    package var lost = 0

    /// The number of answers.
    package var answers: Int { right.values.reduce(wrong, +) }

    /// Adds the counts of another connection.
    mutating func merge(_ other: LoadResult) {
        latencies.merge(other.latencies)
        right.merge(other.right, uniquingKeysWith: +)
        wrong += other.wrong
        firstWrong = firstWrong ?? other.firstWrong
        missed += other.missed
        lost += other.lost
    }
}
