import KeyStore
import Keys
import Service
import Tenancy

/// The form with an organization's reaction to leaked tokens and its notices about keys.
enum NoticesForm {
    /// Saves the form, if the organization is still as it was read.
    ///
    /// - Returns: The faults of its fields; `nil` if it is saved.
    /// - Throws: `ChangedMeanwhile`; the errors of the use case that are of no field.
    static func save(
        _ form: FormFields,
        of organization: Organization,
        _ platform: Platform,
        by caller: Caller
    ) async throws -> FormFaults? {
        var faults = FormFaults()
        let change = change(of: organization, form, &faults)
        guard faults.isEmpty else { return faults }
        do {
            _ = try await platform.organizations.update(
                UUIDv7.text(of: organization.id),
                change,
                ifStill: organization,
                by: caller
            )
            return nil
        } catch {
            guard let faults = FormFaults(error) else { throw error }
            return faults
        }
    }

    /// Returns the change that the form asks for, what the person changed in it, and adds the faults of its fields.
    private static func change(of organization: Organization, _ form: FormFields, _ faults: inout FormFaults)
        -> OrganizationChange
    {
        let old = OldPage(form)
        var change = OrganizationChange()
        let action = LeakAction(rawValue: form["leak_action"])
        if !form["leak_action"].isEmpty, action == nil {
            faults.add("leak_action", "Choose a reaction of the list.")
        } else if old.changes(
            "leak_action",
            to: form["leak_action"],
            from: leak(organization),
            label: label(organization.leakAction),
            &faults
        ) {
            change.leakAction = .some(action)
        }
        if let days = expiryDays(form, &faults),
            old.changes("expiry_notice_days", to: expiry(days), from: expiry(organization.expiryNoticeDays), &faults)
        {
            change.expiryNoticeDays = .some(days)
        }
        let text = form.text("unused_after_days")
        let days = text.flatMap { Int64($0) }
        if text != nil, days == nil {
            faults.add("unused_after_days", "Enter a whole number, or nothing.")
        } else if old.changes(
            "unused_after_days",
            to: days.map { "\($0)" } ?? "",
            from: unused(organization),
            &faults
        ) {
            change.unusedAfterDays = .some(days)
        }
        faults.check(
            expiryNoticeDays: change.expiryNoticeDays ?? nil,
            unusedAfterDays: change.unusedAfterDays ?? nil
        )
        return change
    }

    /// Returns the days of the form, of which `.some(nil)` is the standard, or `nil` after a fault.
    private static func expiryDays(_ form: FormFields, _ faults: inout FormFaults) -> [Int64]?? {
        if form["no_expiry_notices"] == "1" { return .some([]) }
        let texts = dayTexts(form)
        let days = texts.compactMap { Int64($0) }
        guard days.count == texts.count else {
            faults.add("expiry_notice_days", "Enter whole numbers with commas between them, such as 30, 7, 1.")
            return nil
        }
        let chosen: [Int64]? = days.isEmpty ? nil : days
        return .some(chosen)
    }

    private static func dayTexts(_ form: FormFields) -> [String] {
        form["expiry_notice_days"].split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    // MARK: Settings as texts

    private static func leak(_ organization: Organization) -> String { organization.leakAction?.rawValue ?? "" }

    private static func unused(_ organization: Organization) -> String {
        organization.unusedAfterDays.map { "\($0)" } ?? ""
    }

    /// The text of no notice before the end of a key.
    private static let noNotice = "no notice"

    /// Returns the days before the end of a key as one text: the two fields of the form are one setting.
    private static func expiry(_ days: [Int64]?) -> String {
        guard let days else { return "" }
        return days.isEmpty ? noNotice : NoticesText.list(days)
    }

    /// Returns a reaction as the list of the form has it.
    private static func label(_ action: LeakAction?) -> String {
        action == nil ? "Standard: \(NoticesText.leak(nil).lowercasedFirst)" : NoticesText.leak(action)
    }

    // MARK: Values

    /// Returns the values of the form: what the person changed in it, or else the settings of the organization.
    static func values(_ organization: Organization, _ form: FormFields) -> [String: Any] {
        let old = OldPage(form)
        let days = organization.expiryNoticeDays
        let typed = form["no_expiry_notices"] == "1" ? noNotice : dayTexts(form).joined(separator: ", ")
        let areDaysTyped = form.contains("expiry_notice_days") && typed != old.shown("expiry_notice_days")
        let hasNone = areDaysTyped ? form["no_expiry_notices"] == "1" : days?.isEmpty == true
        let choices: [LeakAction?] = [nil] + LeakAction.allCases.map(Optional.some)
        return [
            "leakActions": SelectView.options(
                choices.map { ($0?.rawValue ?? "", label($0)) },
                selected: old.value("leak_action", now: leak(organization))
            ),
            "expiryDays": areDaysTyped ? form["expiry_notice_days"] : NoticesText.list(days ?? []),
            "standardExpiryDays": NoticesText.list(NoticeSettings.standard.expiryDays),
            "hasNoExpiryNotices": hasNone,
            "unusedDays": old.value("unused_after_days", now: unused(organization)),
            "standardUnusedDays": "\(NoticeSettings.standard.unusedAfterDays)",
            "shownNotices": OldPage.hidden([
                ("leak_action", leak(organization)), ("expiry_notice_days", expiry(days)),
                ("unused_after_days", unused(organization)),
            ]),
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
