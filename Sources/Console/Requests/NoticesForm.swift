import KeyStore
import Tenancy

/// The form with an organization's reaction to leaked tokens and its notices about keys.
enum NoticesForm {
    /// Returns the change that the form asks for, and adds the faults of its fields.
    ///
    /// A setting that the form leaves as it is stays, whatever somebody else has changed meanwhile.
    static func change(of organization: Organization, _ form: FormFields, _ faults: inout FormFaults)
        -> OrganizationChange
    {
        var change = OrganizationChange()
        let word = form.text("leak_action")
        let action = word.flatMap { LeakAction(rawValue: $0) }
        if word != nil, action == nil {
            faults.add("leak_action", "Choose a reaction of the list.")
        } else if action != organization.leakAction {
            change.leakAction = .some(action)
        }
        if let days = expiryDays(form, &faults), days != organization.expiryNoticeDays {
            change.expiryNoticeDays = .some(days)
        }
        let text = form.text("unused_after_days")
        let days = text.flatMap { Int64($0) }
        if text != nil, days == nil {
            faults.add("unused_after_days", "Enter a whole number, or nothing.")
        } else if days != organization.unusedAfterDays {
            change.unusedAfterDays = .some(days)
        }
        return change
    }

    /// Returns the days of the form, of which `.some(nil)` is the standard, or `nil` after a fault.
    private static func expiryDays(_ form: FormFields, _ faults: inout FormFaults) -> [Int64]?? {
        if form["no_expiry_notices"] == "1" { return .some([]) }
        let texts = form["expiry_notice_days"].split { $0 == "," || $0.isWhitespace }
        let days = texts.compactMap { Int64($0) }
        guard days.count == texts.count else {
            faults.add("expiry_notice_days", "Enter whole numbers with commas between them, such as 30, 7, 1.")
            return nil
        }
        let chosen: [Int64]? = days.isEmpty ? nil : days
        return .some(chosen)
    }

    /// Returns the values of the form: what was typed, or else the settings of the organization.
    static func values(_ organization: Organization, _ form: FormFields) -> [String: Any] {
        let isSent = form.contains("expiry_notice_days")
        let action = isSent ? form["leak_action"] : organization.leakAction?.rawValue ?? ""
        let days = organization.expiryNoticeDays
        let hasNone = isSent ? form["no_expiry_notices"] == "1" : days?.isEmpty == true
        let unused = organization.unusedAfterDays.map { "\($0)" } ?? ""
        return [
            "leakActions": SelectView.options(
                [("", "Standard: \(NoticesText.leak(nil).lowercasedFirst)")]
                    + LeakAction.allCases.map { ($0.rawValue, NoticesText.leak($0)) },
                selected: action
            ),
            "expiryDays": isSent ? form["expiry_notice_days"] : NoticesText.list(days ?? []),
            "standardExpiryDays": NoticesText.list(NoticeSettings.standard.expiryDays),
            "hasNoExpiryNotices": hasNone, "unusedDays": isSent ? form["unused_after_days"] : unused,
            "standardUnusedDays": "\(NoticeSettings.standard.unusedAfterDays)",
        ]
    }
}

/// The texts of an organization's reaction to leaked tokens and of its notices about keys.
enum NoticesText {
    /// Returns the reaction to a leaked token; `nil` is the standard one.
    static func leak(_ action: LeakAction?) -> String {
        switch action {
        case nil: "Revoke live keys except publishable ones, and only tell of others"
        case .notify?: "Only tell of it"
        case .quarantine?: "Accept the key only from the addresses of the last 30 days"
        case .revoke?: "Revoke the key"
        }
    }

    /// Returns the notices before the end of a key; `nil` is the standard.
    static func expiry(_ days: [Int64]?) -> String {
        let days = days ?? NoticeSettings.standard.expiryDays
        return days.isEmpty ? "No notice" : "Days before the end of a key: \(list(days))"
    }

    /// Returns the notice of an unused key; `nil` is the standard, and 0 is never.
    static func unused(_ days: Int64?) -> String {
        let days = days ?? NoticeSettings.standard.unusedAfterDays
        return days == 0 ? "No notice" : "A notice after \(NumberText.counted(Int(days), "day")) without a use"
    }

    /// Returns numbers with commas between them.
    static func list(_ days: [Int64]) -> String { days.map { "\($0)" }.joined(separator: ", ") }
}

extension String {
    /// The text with a small first letter.
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
