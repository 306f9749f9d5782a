cd dir
echo 1 > 'sp ace'; echo 2 > 'quo"te'; echo 3 > "$(printf 'new\nline')"; echo 4 > 'ünï-中文'; echo 5 > "back\\slash"
echo 6 > "$(printf 'n%.0s' $(seq 250))"
d=$(printf 'd%.0s' $(seq 90)); mkdir -p "$d/$d/$d"; echo 7 > "$d/$d/$d/f"
ln -s "$d/$d/$d/f" "$(printf 'l%.0s' $(seq 120))"
echo 8 > '.hidden'; echo 9 > '-dash'; echo 10 > ' lead'; echo 11 > 'star*'
