/// The settings of reports of leaked tokens.
package struct LeakOptions: Sendable {
    /// The place of the keys that sign GitHub's reports; `nil` refuses these reports.
    package var gitHubKeys: GitHubKeySource?
    /// The unit of the time after which a report from anybody is answered.
    ///
    /// Defaults to 500 ms. Zero answers at once.
    package var answerStep: Duration = .milliseconds(500)

    /// Creates settings with the default values.
    package init() {}

    /// Returns the time after which a report from anybody is answered, counted from its arrival: the next whole number of steps.
    ///
    /// A genuine token costs a change of its key, and any other text costs a look-up at most. An answer that came at once would tell a
    /// stranger which of the two it was.
    ///
    /// - Parameter work: The time that the work has taken.
    /// - Returns: The time of the answer, at least one step.
    package func answerTime(after work: Duration) -> Duration {
        guard answerStep > .zero else { return work }
        return answerStep * Int(max(1, (work / answerStep).rounded(.up)))
    }
}

/// The place of GitHub's public keys.
package enum GitHubKeySource: Sendable, Hashable {
    /// A URL.
    case url(String)
    /// A file on this machine.
    case file(String)
}
