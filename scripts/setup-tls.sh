#!/bin/sh
# A certificate for the relay's public name, and the nginx site that uses it. See --help.
set -eu

usage() {
    cat <<'END'
Usage: scripts/setup-tls.sh --domain NAME --email ADDRESS [options]   a certificate from Let's Encrypt, renewed by itself
       scripts/setup-tls.sh --domain NAME --local [options]           a certificate of an authority made here, for trial

Gets the certificate, writes the nginx site for it (vibesflow nginx conf), tests the configuration and reloads nginx.
It can be run again at any time: what is there and still good is kept.

  --domain NAME         the public name; its DNS must point to this host, and port 80 be open to everybody (not --local)
  --email ADDRESS       where Let's Encrypt sends warnings
  --staging             use Let's Encrypt's staging service, which browsers do not believe, to see whether all works
  --local               no certbot: make an authority and a certificate of it, to try things out
  --tls-dir DIRECTORY   where --local keeps its files (/etc/vibesflow/tls)
  --site FILE           the site to write (/etc/nginx/sites-available/vibesflow.conf where nginx has such a directory,
                        else /etc/nginx/conf.d/vibesflow.conf)
  --acme-root DIRECTORY where certbot puts its proofs for nginx to show (/var/www/letsencrypt)
  --certbot-dir DIRECTORY where certbot keeps certificates (/etc/letsencrypt)
  --nginx-conf FILE     nginx's main configuration, where it is not the usual one
  --no-reload           write and test, and leave nginx as it runs
  --dry-run             say what would be done, and write the site to standard output
  -- OPTIONS            more options for `vibesflow nginx conf`, such as --listen-https 8443; see its --help

Exit codes: 0 done; 1 a step failed, nothing of nginx was changed; 64 wrong options; 69 a program is missing.
END
}

say() { printf '%s\n' "$*" >&2; }
wrong() { say "$* (see --help)"; exit 64; }
# With --dry-run, says a command instead of running it.
run() {
    if [ "$dry_run" = yes ]; then say "would run: $*"; else "$@"; fi
}
need() { command -v "$1" >/dev/null 2>&1 || { say "$1 is missing: apt-get install $2"; exit 69; }; }

domain='' email='' mode=certbot staging='' dry_run=no reload=yes
tls_dir=/etc/vibesflow/tls acme_root=/var/www/letsencrypt site='' nginx_conf=''
certbot_dir=/etc/letsencrypt
while [ $# -gt 0 ]; do
    case $1 in
        --domain | --email | --tls-dir | --site | --acme-root | --certbot-dir | --nginx-conf)
            [ $# -ge 2 ] || wrong "$1 needs a value"
            case $1 in
                --domain) domain=$2 ;;
                --email) email=$2 ;;
                --tls-dir) tls_dir=$2 ;;
                --site) site=$2 ;;
                --acme-root) acme_root=$2 ;;
                --certbot-dir) certbot_dir=$2 ;;
                --nginx-conf) nginx_conf=$2 ;;
            esac
            shift
            ;;
        --local) mode=local ;;
        --staging) staging=--staging ;;
        --dry-run) dry_run=yes ;;
        --no-reload) reload=no ;;
        --help | -h) usage; exit 0 ;;
        --) shift; break ;;
        *) wrong "Unknown option $1" ;;
    esac
    shift
done
# What is left in "$@" goes to `vibesflow nginx conf`.

[ -n "$domain" ] || wrong 'Which name? Give --domain'
domain=$(printf %s "$domain" | tr '[:upper:]' '[:lower:]')
case $domain in
    *[!a-z0-9.-]* | .* | -*) wrong "$domain is no host name" ;;
esac
if [ "$mode" = certbot ]; then
    [ -n "$email" ] || wrong "Let's Encrypt wants an address: give --email, or --local for a trial"
    case $domain in
        *[!0-9.]*) ;;
        *) wrong "Let's Encrypt is asked for names, and $domain is an address: use --local" ;;
    esac
    [ "$domain" != localhost ] || wrong 'Nobody certifies localhost: use --local'
fi

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
need openssl openssl
if [ "$dry_run" = no ]; then
    need nginx nginx
    [ "$mode" = local ] || need certbot certbot
fi
# The settings come from a .env in this directory, as for the daemon.
vibesflow() {
    if [ -f "$root/dist/cli/vibesflow.js" ]; then
        node "$root/dist/cli/vibesflow.js" "$@"
    else
        say "The relay is not built: run npm run build in $root"
        return 69
    fi
}
nginx_test() {
    if [ -n "$nginx_conf" ]; then nginx -q -t -c "$nginx_conf"; else nginx -q -t; fi
}
nginx_reload() {
    if [ -n "$nginx_conf" ]; then
        nginx -s reload -c "$nginx_conf"
    elif [ -d /run/systemd/system ] && systemctl cat nginx.service >/dev/null 2>&1; then
        systemctl reload-or-restart nginx
    else
        # Not running yet: started, where it cannot be reloaded.
        nginx -s reload 2>/dev/null || nginx
    fi
}

if [ -z "$site" ]; then
    if [ -d /etc/nginx/sites-available ]; then
        site=/etc/nginx/sites-available/vibesflow.conf
    else
        site=/etc/nginx/conf.d/vibesflow.conf
    fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Writes the site for a certificate. Where nginx does not accept it, what was there before is put back.
install_site() {
    cert=$1 key=$2
    shift 2
    vibesflow nginx conf --domain "$domain" --tls-cert "$cert" --tls-key "$key" --acme-root "$acme_root" "$@" \
        >"$work/site" || return
    if [ "$dry_run" = yes ]; then
        say "would write $site, test it with nginx -t, and reload nginx:"
        cat "$work/site"
        return
    fi
    if [ -f "$site" ] && cmp -s "$work/site" "$site"; then
        say "$site is as it should be"
    else
        rm -f "$work/before"
        [ ! -f "$site" ] || cp -p "$site" "$work/before"
        mkdir -p "$(dirname -- "$site")"
        cp "$work/site" "$site"
        chmod 644 "$site"
        say "Wrote $site"
    fi
    link=''
    case $site in
        */sites-available/*)
            link=$(dirname -- "$(dirname -- "$site")")/sites-enabled/$(basename -- "$site")
            if [ -e "$link" ]; then link=''; else mkdir -p "$(dirname -- "$link")" && ln -s "$site" "$link"; fi
            ;;
    esac
    if ! nginx_test; then
        if [ -f "$work/before" ]; then cp -p "$work/before" "$site"; else rm -f "$site"; fi
        [ -z "$link" ] || rm -f "$link"
        say 'nginx does not accept the site (the reason is above); what was there before is back.'
        return 1
    fi
    if [ "$reload" = yes ]; then nginx_reload; say 'nginx serves it'; fi
}

# Whether a certificate is there for this name, with its key, for at least so many seconds from now.
is_good() {
    [ -s "$1" ] && [ -s "$2" ] && openssl x509 -in "$1" -noout -checkend "$3" >/dev/null 2>&1 &&
        openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null | tr ', ' '[\n*]' |
        grep -qixF -e "DNS:$domain" -e "Address:$domain"
}

# A certificate for trial: an authority that stays, and a certificate of it for the name. Browsers take 398 days at most.
make_local() {
    directory=$1
    if is_good "$directory/$domain.pem" "$directory/$domain.key" 2592000; then
        say "$directory/$domain.pem is good for another month at least"
        return
    fi
    if [ "$dry_run" = yes ]; then
        say "would make a certificate for $domain in $directory"
        return
    fi
    mkdir -p "$directory"
    (
        umask 077
        new_key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        if ! openssl x509 -in "$directory/ca.pem" -noout -checkend 34387200 >/dev/null 2>&1; then
            # shellcheck disable=SC2086 # words on purpose
            openssl req -x509 $new_key -days 3650 -subj "/CN=VibesFlow trial authority ($(hostname))" \
                -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
                -keyout "$directory/ca.key" -out "$directory/ca.pem" 2>"$work/openssl"
        fi
        case $domain in
            *[!0-9.]*) names=DNS:$domain ;;
            *) names=IP:$domain ;;
        esac
        [ "$domain" != localhost ] || names=DNS:localhost,IP:127.0.0.1
        {
            echo "subjectAltName=$names"
            echo basicConstraints=critical,CA:FALSE
            echo keyUsage=critical,digitalSignature
            echo extendedKeyUsage=serverAuth
        } >"$work/extensions"
        # shellcheck disable=SC2086 # words on purpose
        openssl req $new_key -subj "/CN=$domain" -keyout "$work/key" -out "$work/request" 2>"$work/openssl"
        openssl x509 -req -in "$work/request" -CA "$directory/ca.pem" -CAkey "$directory/ca.key" -days 397 \
            -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/extensions" -out "$work/cert" 2>"$work/openssl"
        # Both at once, as far as that goes: nginx must not meet a key that is another certificate's.
        cp "$work/key" "$directory/$domain.key.new"
        cat "$work/cert" "$directory/ca.pem" >"$directory/$domain.pem.new"
        chmod 600 "$directory/$domain.key.new" "$directory/ca.key"
        chmod 644 "$directory/$domain.pem.new" "$directory/ca.pem"
        mv "$directory/$domain.key.new" "$directory/$domain.key"
        mv "$directory/$domain.pem.new" "$directory/$domain.pem"
    ) || { cat "$work/openssl" >&2; return 1; }
    chmod 755 "$directory"
    say "Made $directory/$domain.pem"
}

if [ "$mode" = local ]; then
    make_local "$tls_dir"
    install_site "$tls_dir/$domain.pem" "$tls_dir/$domain.key" "$@"
    [ "$dry_run" = yes ] || say "To believe it: curl --cacert $tls_dir/ca.pem; browsers want ca.pem among their authorities."
else
    live=$certbot_dir/live/$domain
    if [ ! -e "$live/fullchain.pem" ]; then
        # certbot's proof is shown by nginx, and nginx does not start without a certificate: one of our own, until then.
        make_local "$tls_dir"
        run mkdir -p "$acme_root/.well-known/acme-challenge"
        if [ "$dry_run" = no ]; then install_site "$tls_dir/$domain.pem" "$tls_dir/$domain.key" "$@"; fi
    fi
    # --keep-until-expiring makes this nothing where the certificate is good. The hook is kept for every renewal, which
    # Debian's package of certbot runs twice a day.
    # shellcheck disable=SC2086 # an empty $staging is no word
    run certbot certonly --config-dir "$certbot_dir" --webroot --webroot-path "$acme_root" --domain "$domain" --email "$email" --agree-tos \
        --non-interactive --keep-until-expiring --deploy-hook 'nginx -q -t && nginx -s reload' $staging
    install_site "$live/fullchain.pem" "$live/privkey.pem" "$@"
    [ "$dry_run" = yes ] || say 'To see whether renewals will work: certbot renew --dry-run'
fi
say "The daemon must know its public name: PUBLIC_URL=https://$domain"
