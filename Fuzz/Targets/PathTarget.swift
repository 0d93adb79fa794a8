import GatewayAPI
import Keys

extension FuzzTarget {
    static func checkPath(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let target = input.text
        let result = readPath(target)
        if let end = CheckPath.endOfConfiguration(in: target) {
            let configured = String(target[..<end])
            // Attack: a client writes options into its own part of the path.
            for rest in ["", "/", "/;scope=*", "?;mode=test", "#;over=500", "/../workspaces/-;scope=read:x"] {
                try require(readPath(configured + rest) == result, "the client's part of a path changes nothing")
            }
        } else {
            try require(result == .success(nil) || target.utf8.first != 0x2F, "a check's path has an end")
        }
        if target.utf8.first == 0x2F {
            try require(readPath("http://gateway" + target) == result, "a target has one meaning in both of its forms")
        }
        guard case .success(let path?) = result else { return }
        let options = path.options
        try require(options.scopes.count <= ScopeSet.maximumCount, "the number of scopes is bounded")
        try require(options.tokenHeaders.count <= 8, "the number of token headers is bounded")
        let statuses = [options.statuses.over, options.statuses.away]
        try require(statuses.allSatisfy { (400...599).contains($0) }, "a refusal has the status of one")
        try require(readPath(pathText(of: path)) == .success(path), "a written path is read back")
    }

    private static func readPath(_ target: String) -> Result<CheckPath?, CheckFault> {
        do throws(CheckFault) {
            return .success(try CheckPath.read(target))
        } catch {
            return .failure(error)
        }
    }

    /// Returns a path with every value percent-encoded.
    static func pathText(of path: CheckPath) -> String {
        let audience =
            switch path.audience {
            case .workspace(let id): "workspaces/\(UUIDv7.text(of: id))"
            case .organization(let id): "organizations/\(UUIDv7.text(of: id))"
            case .organizationSlug(let slug): "organizations/\(slug)"
            case .malformed: "workspaces/-"
            }
        let options = path.options
        var values: [(option: CheckOption, text: String)] = []
        for scope in options.scopes { values.append((.scope, scope.text)) }
        for header in options.tokenHeaders { values.append((.token, header)) }
        if let namespace = options.namespace { values.append((.namespace, namespace)) }
        if let mode = options.mode { values.append((.mode, mode.rawValue)) }
        if let header = options.addressHeader { values.append((.address, header)) }
        values.append((.over, String(options.statuses.over)))
        values.append((.away, String(options.statuses.away)))
        return "/v1/authorize/\(audience)" + values.map { ";\($0.option.rawValue)=\(encoded($0.text))" }.joined()
    }
}
