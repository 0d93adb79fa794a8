import KeyStore
import Keys
import Service

/// The settings of a key as a form has them: texts, as a person entered them.
struct KeyForm {
    private let family: KeyFamily
    private var name = ""
    private var description = ""
    private var mode = "live"
    private var type = "service"
    private var subject = ""
    private var scopes = ""
    private var addresses = ""
    private var namespaces = ""
    private var perMinute = ""
    private var perHour = ""
    /// A number of days, `never`, `date`, or `keep` for the present end.
    private var ends = "never"
    private var endsOn = ""
    private var permissions: Set<String> = []
    /// The end of a key that exists.
    private var presentEnd: Timestamp?
    private var isNew = true

    /// Creates the form of a new key.
    init(family: KeyFamily) { self.family = family }

    /// Creates the form that a person sent.
    init(_ form: FormFields, family: KeyFamily) {
        self.family = family
        name = form["name"]
        description = form["description"]
        mode = form["mode"]
        type = form["type"]
        subject = form["subject"]
        scopes = form["scopes"]
        addresses = form["addresses"]
        namespaces = form["namespaces"]
        perMinute = form["per_minute"]
        perHour = form["per_hour"]
        ends = form["ends"]
        endsOn = form["ends_on"]
        permissions = Set(form.names(after: "permission."))
        isNew = !form.contains("edit")
        presentEnd = form.text("present_end").flatMap(Timestamp.init(rfc3339:))
    }

    /// Creates the form of a key.
    init(_ key: KeyRecord, family: KeyFamily) {
        self.family = family
        name = key.name
        description = key.description ?? ""
        mode = key.mode.rawValue
        type = key.kind.rawValue
        subject = key.subject ?? ""
        scopes = key.scopes.joined(separator: "\n")
        addresses = key.allowedAddresses.joined(separator: "\n")
        // An empty list allows the default namespace alone.
        namespaces = key.allowedNamespaces.map { $0.isEmpty ? "default" : $0.joined(separator: "\n") } ?? ""
        perMinute = key.rateLimitPerMinute.map(String.init) ?? ""
        perHour = key.rateLimitPerHour.map(String.init) ?? ""
        permissions = Set(key.permissions)
        presentEnd = key.expiresAt
        ends = key.expiresAt == nil ? "never" : "keep"
        isNew = false
    }

    // MARK: Changes by others

    /// Creates the form as the page showed it first, from the page's hidden fields; returns `nil` if the page had none.
    init?(shownBy form: FormFields, family: KeyFamily) {
        guard form.contains("shown_name") else { return nil }
        self.family = family
        for (field, path) in Self.texts { self[keyPath: path] = form["shown_\(field)"] }
        permissions = Set(form["shown_permissions"].split(separator: " ").map(String.init))
        presentEnd = form.text("present_end").flatMap(Timestamp.init(rfc3339:))
        ends = presentEnd == nil ? "never" : "keep"
        isNew = false
    }

    /// The settings that are one text, each with the name of its field.
    private static var texts: [(field: String, path: WritableKeyPath<KeyForm, String>)] {
        [
            ("name", \.name), ("description", \.description), ("scopes", \.scopes), ("addresses", \.addresses),
            ("namespaces", \.namespaces), ("per_minute", \.perMinute), ("per_hour", \.perHour),
        ]
    }

    /// The hidden fields from which ``init(shownBy:family:)`` creates the form again.
    var shown: [[String: Any]] {
        let fields = Self.texts.map { (field: $0.field, value: self[keyPath: $0.path]) }
        return OldPage.hidden(fields + [(field: "permissions", value: permissions.sorted().joined(separator: " "))])
    }

    /// Returns the form with the present settings in the fields that the person did not change.
    ///
    /// A page can be older than the last change of the key, such as one in another tab. Its old settings must not undo that change.
    ///
    /// - Parameters:
    ///   - shown: The settings that the page showed first.
    ///   - present: The settings of the key now.
    ///   - faults: Gets a fault for each field that both the person and somebody else have changed.
    /// - Returns: The form.
    func rebased(from shown: KeyForm, onto present: KeyForm, _ faults: inout FormFaults) -> KeyForm {
        var form = self
        for (field, path) in Self.texts {
            let now = present[keyPath: path]
            switch OldPage.change(of: field, to: self[keyPath: path], shown: shown[keyPath: path], now: now) {
            case .none: form[keyPath: path] = now
            case .own: break
            case .contested: faults.add(field, OldPage.fault(now: now))
            }
        }
        if permissions == shown.permissions {
            form.permissions = present.permissions
        } else if shown.permissions != present.permissions, permissions != present.permissions {
            faults.add("permissions", "Somebody changed the permissions meanwhile. Save again to replace them.")
        }
        if ends == shown.ends {
            form.ends = present.ends
        } else if shown.presentEnd != present.presentEnd, ends != "never" || present.presentEnd != nil {
            let value = present.presentEnd.map { "on \(TimeView.full($0))" } ?? "never"
            faults.add("ends", "Somebody changed this meanwhile. The key now ends \(value). Save again to replace it.")
        }
        form.presentEnd = present.presentEnd
        return form
    }

    // MARK: Use cases

    /// Returns the draft of a new key, without the settings that have a fault.
    func draft(_ keys: KeyCollection, _ faults: inout FormFaults) -> KeyDraft {
        // A damaged field must become neither a live key nor a secret one.
        if !mode.isEmpty, KeyMode(rawValue: mode) == nil { faults.add("mode", "Choose a mode.") }
        if family == .service, !["", "service", "anon"].contains(type) { faults.add("type", "Choose a type.") }
        var draft = KeyDraft(
            name: checkedName(&faults),
            description: checkedDescription,
            kind: kind,
            mode: KeyMode(rawValue: mode),
            scopes: parsedScopes(&faults),
            permissions: family == .admin ? parsedPermissions(&faults) : [],
            allowedNamespaces: parsedNamespaces(&faults),
            allowedAddresses: parsedAddresses(&faults),
            rateLimitPerMinute: limit(perMinute, "per_minute", &faults),
            rateLimitPerHour: limit(perHour, "per_hour", &faults)
        )
        if let expiry = expiry(&faults) { draft.expiry = expiry }
        if family == .client, keys.subject == nil {
            if subject.trimmed.isEmpty { faults.add("subject", "Enter the owner of the key.") }
            draft.subject = subject.trimmed
        }
        return draft
    }

    /// Returns the change from another form: only what a person has changed.
    func patch(from old: KeyForm, _ faults: inout FormFaults) -> KeyPatch {
        var patch = KeyPatch()
        if !OldPage.isSame("name", name, old.name) { patch.name = .set(checkedName(&faults)) }
        if !OldPage.isSame("description", description, old.description) {
            patch.description = .set(checkedDescription)
        }
        if Self.lines(scopes) != Self.lines(old.scopes) { patch.scopes = .set(parsedScopes(&faults)) }
        if Self.lines(addresses) != Self.lines(old.addresses) {
            patch.allowedAddresses = .set(parsedAddresses(&faults))
        }
        if Self.lines(namespaces) != Self.lines(old.namespaces) {
            patch.allowedNamespaces = .set(parsedNamespaces(&faults))
        }
        if perMinute.trimmed != old.perMinute {
            patch.rateLimitPerMinute = .set(limit(perMinute, "per_minute", &faults))
        }
        if perHour.trimmed != old.perHour { patch.rateLimitPerHour = .set(limit(perHour, "per_hour", &faults)) }
        if ends != old.ends, let expiry = expiry(&faults) { patch.expiry = .set(expiry) }
        if family == .admin, permissions != old.permissions {
            patch.permissions = .set(parsedPermissions(&faults))
        }
        return patch
    }

    /// The maximum number of scopes, addresses and namespaces, as in the native API.
    private static let mostElements = 100

    /// Returns the lines of a field that is a list, and adds a fault if there are too many.
    private func list(_ text: String, _ field: String, _ faults: inout FormFaults) -> [String] {
        let lines = Self.lines(text)
        if lines.count > Self.mostElements {
            faults.add(field, "Enter at most \(Self.mostElements) lines. These are \(lines.count).")
        }
        return lines
    }

    private static func lines(_ text: String) -> [String] { FormFields([("text", text)]).lines("text") }

    private var kind: KeyKind {
        switch family {
        case .service: type == "anon" ? .anon : .service
        case .client: .client
        case .admin: .admin
        }
    }

    private var checkedDescription: String? {
        let text = OldPage.plain(description)
        return text.isEmpty ? nil : text
    }

    private func checkedName(_ faults: inout FormFaults) -> String {
        if name.trimmed.isEmpty { faults.add("name", "Enter a name, so that you recognize the key later.") }
        return name.trimmed
    }

    /// Returns the permissions of an admin key, which can do nothing without one.
    private func parsedPermissions(_ faults: inout FormFaults) -> PermissionSet {
        guard let set = PermissionSet(names: permissions.sorted()), !set.isEmpty else {
            faults.add("permissions", "Choose at least one permission.")
            return []
        }
        return set
    }

    private func parsedScopes(_ faults: inout FormFaults) -> [Scope] {
        var parsed: [Scope] = []
        for line in list(scopes, "scopes", &faults) {
            guard let scope = try? Scope(validating: line) else {
                faults.add(
                    "scopes",
                    "\u{201C}\(line)\u{201D} is not a scope. A scope is \u{201C}verb:resource\u{201D}, \u{201C}verb:*\u{201D} or \u{201C}*\u{201D}."
                )
                return []
            }
            parsed.append(scope)
        }
        return ScopeSet(parsed).scopes
    }

    private func parsedAddresses(_ faults: inout FormFaults) -> [AddressRange] {
        var parsed: [AddressRange] = []
        for line in list(addresses, "addresses", &faults) {
            do throws(AddressFault) {
                parsed.append(try AddressRange(line))
            } catch {
                faults.add(
                    "addresses",
                    "\u{201C}\(line)\u{201D} is not an address or a range such as 192.0.2.0/24. \(error)"
                )
                return []
            }
        }
        return parsed
    }

    private func parsedNamespaces(_ faults: inout FormFaults) -> [String]? {
        let lines = list(namespaces, "namespaces", &faults)
        return lines.isEmpty ? nil : lines
    }

    private func limit(_ text: String, _ field: String, _ faults: inout FormFaults) -> Int? {
        guard !text.trimmed.isEmpty else { return nil }
        guard let number = Int(text.trimmed), (1...Int(Int32.max)).contains(number) else {
            faults.add(field, "Enter a number from 1, or nothing for no limit.")
            return nil
        }
        return number
    }

    private func expiry(_ faults: inout FormFaults) -> KeyExpiry? {
        switch ends {
        case "never": return .never
        case "keep": return nil
        case "date":
            // A day ends with the start of the next one.
            guard let start = Timestamp(rfc3339: "\(endsOn)T00:00:00Z") else {
                faults.add("ends_on", "Enter a date.")
                return nil
            }
            return .at(start + .seconds(86_400))
        default:
            guard let days = Int(ends), (1...3660).contains(days) else {
                faults.add("ends", "Choose an end.")
                return nil
            }
            return .after(.seconds(86_400 * days))
        }
    }

    // MARK: Values

    /// Returns the name of the form's field for a member of the API.
    func field(_ member: String) -> String {
        switch member {
        case "allowed_ips": "addresses"
        case "allowed_namespaces": "namespaces"
        case "rate_limit_per_minute": "per_minute"
        case "rate_limit_per_hour": "per_hour"
        // The day has a field of its own.
        case "expires_at": ends == "date" ? "ends_on" : "ends"
        default: member
        }
    }

    /// The permissions of an admin key, each with what it allows.
    private static let permissionTexts: [(Permission, String)] = [
        (.keysRead, "Read keys"), (.keysWrite, "Create, change, rotate and revoke keys"),
        (.keysVerify, "Verify tokens"),
        (.workspacesWrite, "Create and change workspaces"), (.membersWrite, "Add and change members"),
        (.eventsRead, "Read events"), (.webhooksRead, "Read webhooks"),
        (.webhooksWrite, "Create and change webhooks"),
    ]

    /// Returns the values of the form.
    func values(_ now: Timestamp) -> [String: Any] {
        var presets: [(value: String, label: String)] = [
            ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In 1 year"),
            ("date", "On a date\u{2026}"),
            ("never", "Never"),
        ]
        if let presentEnd {
            presets.insert(
                ("keep", "\(TimeView.short(presentEnd)) UTC, \(TimeView.relative(presentEnd, to: now))"),
                at: 0
            )
        }
        var ends = SelectView.options(presets, selected: self.ends)
        if let presentEnd {
            ends[0]["utc"] = presentEnd.rfc3339
            ends[0]["rest"] = ", \(TimeView.relative(presentEnd, to: now))"
        }
        return [
            "isLimited": [addresses, namespaces, perMinute, perHour].contains { !$0.isEmpty },
            "form": [
                "name": name, "description": description, "subject": subject, "scopes": scopes, "addresses": addresses,
                "namespaces": namespaces, "perMinute": perMinute, "perHour": perHour, "endsOn": endsOn,
                "modes": SelectView.options([("live", "Live"), ("test", "Test")], selected: mode),
                "types": SelectView.options(
                    [("service", "Secret, for servers"), ("anon", "Publishable, for browsers and apps")],
                    selected: type
                ),
                "ends": ends, "isDate": self.ends == "date",
                "presentEnd": presentEnd?.rfc3339 ?? "", "tomorrow": TimeView.input(now + .seconds(86_400)),
                "permissions": Self.permissionTexts.map { permission, text in
                    [
                        "name": permission.rawValue, "text": text,
                        "isGiven": permissions.contains(permission.rawValue),
                    ] as [String: Any]
                },
            ] as [String: Any],
        ]
    }
}
