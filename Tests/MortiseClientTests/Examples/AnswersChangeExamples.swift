import MortiseClient

/// The examples in `Change.swift`.
enum AnswersChangeExamples {
    static func example1() {
        var changes = Mortise.KeyChanges()
        changes.description = .set("for the nightly build")
        changes.rateLimitPerHour = .clear
        print(changes.expiresAt == .keep)  // true
    }
}
